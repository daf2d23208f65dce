'use strict';
// COMPAT 12: config.

const test = require('node:test');
const assert = require('node:assert');
const { both, pair, ours } = require('./both.js');

const DEFAULTS = { reconnectTimeout: 300_000, reconnectDelay: 1000, reconnectDecay: 2 };

both('config lists the three options and whatever was set, in a fresh copy', (t, distribus) => {
  const one = new distribus.Host();
  assert.deepStrictEqual(one.config(), DEFAULTS);
  assert.deepStrictEqual(one.config({ type: 'mine', id: 7, reconnectDelay: 5 }), {
    ...DEFAULTS,
    type: 'mine',
    id: 7,
    reconnectDelay: 5
  });
  one.config().type = 'changed';
  assert.strictEqual(one.config().type, 'mine');
  assert.strictEqual(one.options.type, 'mine');
  for (const nothing of [undefined, null, false, 0, '']) assert.strictEqual(one.config(nothing).type, 'mine');
  assert.deepStrictEqual(new distribus.Host(null).config(), DEFAULTS);
  assert.deepStrictEqual(new distribus.Host(Object.assign(Object.create({ inherited: 1 }), { own: 2 })).config(), {
    ...DEFAULTS,
    own: 2
  });
});

both('networkId sets host.networkId as well; an empty one does not', (t, distribus) => {
  const one = new distribus.Host({ networkId: 'n' });
  assert.deepStrictEqual([one.networkId, one.config().networkId], ['n', 'n']);
  one.config({ networkId: '' });
  assert.deepStrictEqual([one.networkId, one.config().networkId], ['n', '']);
  one.config({ networkId: 'm' });
  assert.strictEqual(one.networkId, 'm');
  assert.strictEqual(new distribus.Host({ networkId: null }).networkId, undefined);
});

test('Fixed: a connected host keeps its network id, another one may change it', { timeout: 30_000 }, async (t) => {
  const [one, two] = await pair(t, ours, { networkId: 'n' });
  assert.throws(() => two.config({ networkId: 'm', type: 'x' }), {
    message: 'Cannot replace networkId once set',
    code: 'ERR_NETWORK_ID_SET'
  });
  assert.deepStrictEqual([two.networkId, 'type' in two.config()], ['n', false]);
  two.config({ networkId: 'n' });
  await one.close();
  assert.strictEqual(two.config({ networkId: 'm' }).networkId, 'm');
  assert.strictEqual(two.networkId, 'm');
});

test('new options: requestTimeout is checked, and listed only when set', () => {
  const one = new ours.Host();
  assert.ok(!('requestTimeout' in one.config()));
  assert.strictEqual(one.config({ requestTimeout: 5 }).requestTimeout, 5);
  for (const bad of [0, -1, NaN])
    assert.throws(() => one.config({ requestTimeout: bad, x: 1 }), {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE'
    });
  for (const bad of ['5', null, {}]) {
    assert.throws(() => new ours.Host({ requestTimeout: bad }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
  for (const bad of ['text', 7, true])
    assert.throws(() => one.config(bad), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  assert.deepStrictEqual(one.config(), { ...DEFAULTS, requestTimeout: 5 });
});
