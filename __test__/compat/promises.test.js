'use strict';
// COMPAT 1: what is exported, and the promises.

const test = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { both, pair, host, ours } = require('./both.js');

both('exports Host and Promise', (t, distribus) => {
  assert.strictEqual(typeof distribus.Host, 'function');
  assert.strictEqual(typeof distribus.Promise.prototype.spread, 'function');
});

both('every returned promise is an instance of the exported Promise', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  one.create('here');
  const promises = [
    one.find('here'),
    one.send('a', 'here', 1),
    two.find('here'),
    two.send('a', 'here', 1),
    two.join(one.url),
    two.join(''),
    two.send('a', 'nobody', 1),
    one.listen('127.0.0.1', 0),
    host(t, distribus).join('ws://127.0.0.1:1'),
    one.find('nobody')
  ];
  if (distribus === ours)
    promises.push(one.list(), two.send('a', 'here', 1n), new ours.Host().close(), new ours.Host().list(), two.join({}));
  for (const [i, promise] of promises.entries()) assert.ok(promise instanceof distribus.Promise, `promise ${i}`);
  await Promise.allSettled(promises);
  const closed = one.close();
  assert.ok(closed instanceof distribus.Promise);
  await closed;
});

both('the methods of bluebird work on them', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  one.create('here');
  const order = [];
  assert.strictEqual(
    await two
      .find('here')
      .delay(5)
      .tap(() => order.push('tap'))
      .finally(() => order.push('finally')),
    one.url
  );
  assert.deepStrictEqual(order, ['tap', 'finally']);
  const sum = await distribus.Promise.all([two.find('here'), two.send('a', 'here', 1)]).spread((url, nothing) => [
    url,
    nothing
  ]);
  assert.deepStrictEqual(sum, [one.url, null]);
  await new Promise((resolve) => two.send('a', 'here', 1).done(resolve));
  assert.strictEqual(await two.send('a', 'nobody', 1).catch((err) => err.message), 'Peer not found (id: nobody)');
  assert.strictEqual(
    await two
      .send('a', 'nobody', 1)
      .catch(TypeError, () => 'no')
      .catch(Error, () => 'yes'),
    'yes'
  );
});

both('handlers of a local send run later', async (t, distribus) => {
  const one = host(t, distribus);
  const order = [];
  one.create('a').on('message', () => order.push('listener'));
  const sent = one.send('b', 'a', 1).then((value) => order.push(value));
  order.push('after send');
  await sent;
  assert.deepStrictEqual(order, ['listener', 'after send', null]);
});

for (const entry of ['distribus-original', require.resolve('../..')]) {
  test(`an unhandled rejection is printed and does not end the process: ${entry === 'distribus-original' ? 'original' : 'ours'}`, () => {
    const code = `const { Host } = require(${JSON.stringify(entry)}); new Host().send('a', 'nobody', 1); setTimeout(() => console.log('alive'), 50)`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8', cwd: __dirname });
    assert.deepStrictEqual([status, stdout], [0, 'alive\n']);
    assert.match(stderr, /Peer not found \(id: nobody\)/);
  });
}
