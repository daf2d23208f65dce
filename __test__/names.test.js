'use strict';
// Names of peers and channels for which JSON has no word: what other hosts make of them.

const test = require('node:test');
const assert = require('node:assert');
const { ours, pair, until } = require('./support.js');

const options = { timeout: 20_000 };

/** Resolves when everything that `from` has said before has been applied at the other host. */
const settled = (from) => from.send('settles', 'b', 'settled');

/** Values that stand for a channel, each with a text of its own. */
const CHANNELS = {
  NaN,
  Infinity,
  '-Infinity': -Infinity,
  10: 10n,
  7: 7,
  true: true,
  undefined,
  null: null,
  '': '',
  '() => 1': () => 1,
  '1,2': [1, 2],
  '[object Object]': { a: 1 },
  'its text': { toString: () => 'its text', toJSON: () => undefined }
};

for (const [text, channel] of Object.entries(CHANNELS)) {
  test(
    `the channel ${text || "''"} (${typeof channel}) is heard under its text, here and elsewhere`,
    options,
    async (t) => {
      const { a, b } = await pair(t);
      const heard = [];
      for (const [where, host] of Object.entries({ a, b })) {
        host.subscribe(channel, (message) => heard.push(`${where} value ${message}`));
        host.subscribe(text, (message) => heard.push(`${where} text ${message}`));
        host.on('error', (err) => heard.push(err));
      }
      await Promise.all([a.ready(), b.ready()]);
      assert.strictEqual(a.publish(channel, 1), true);
      assert.strictEqual(a.publish(text, 2), true);
      await settled(a);
      const each = (where) => [1, 2].flatMap((n) => [`${where} value ${n}`, `${where} text ${n}`]);
      assert.deepStrictEqual(heard, [...each('a'), ...each('b')]);
    }
  );
}

test(
  'a symbol names a channel of its own host: its subscribers hear it, nobody else does, nothing is reported',
  options,
  async (t) => {
    const { a, b } = await pair(t);
    const symbol = Symbol('a.*');
    const heard = [];
    const elsewhere = () => assert.fail('it is for its own host');
    for (const name of ['**', 'undefined', 'null', 'Symbol(a.*)', symbol]) b.subscribe(name, elsewhere);
    for (const name of ['**', 'undefined', 'Symbol(a.*)']) a.subscribe(name, elsewhere);
    a.subscribe('Symbol(a.*)', elsewhere, { group: 'g' });
    a.on('error', elsewhere);
    const plain = (message) => heard.push(['plain', message]);
    const exact = (message) => heard.push(['exact', message]);
    a.subscribe(symbol, plain);
    a.subscribe(symbol, exact, { exact: true });
    await b.ready();
    assert.strictEqual(a.publish(symbol, 1), true);
    a.unsubscribe(symbol, exact, { exact: true });
    a.publish(symbol, 2);
    await settled(a);
    assert.deepStrictEqual(heard, [
      ['plain', 1],
      ['exact', 1],
      ['plain', 2]
    ]);
  }
);

test('a symbol is no channel of a group, whose members may be anywhere', () => {
  const host = new ours.Host();
  const refused = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
  assert.throws(() => host.subscribe(Symbol('s'), () => {}, { group: 'g' }), refused);
  assert.throws(() => host.unsubscribe(Symbol('s'), () => {}, { group: 'g' }), refused);
});

for (const id of [NaN, Infinity, -Infinity]) {
  test(
    `a peer with the id ${id} is found and listed under that text, and is not taken for null`,
    options,
    async (t) => {
      const { a, b } = await pair(t);
      const heard = [];
      a.create('null').on('message', (from, message) => heard.push(['null', from, message]));
      const peer = a.create(id);
      assert.ok(Object.is(peer.id, id));
      peer.on('message', (from, message) => heard.push(['peer', from, message]));
      peer.handle(() => 'reply');
      b.get('b').on('message', (from, message) => heard.push(['b', from, message]));
      assert.strictEqual(await b.find(id), a.url);
      assert.strictEqual(await b.send('b', id, 1), null);
      assert.strictEqual(await b.send('b', String(id), 2), null);
      assert.strictEqual(await b.get('b').request(id, 3), 'reply');
      assert.strictEqual(await peer.send('b', 4), null);
      assert.deepStrictEqual(await peer.broadcast('b', 5), { delivered: 1, failed: 0 });
      const text = String(id);
      assert.deepStrictEqual(heard, [
        ['peer', 'b', 1],
        ['peer', 'b', 2],
        ['b', text, 4],
        ['b', text, 5]
      ]);
      assert.deepStrictEqual((await b.list()).sort(), [text, 'b', 'null'].sort());
      assert.deepStrictEqual((await b.list('*')).sort(), [text, 'b', 'null'].sort());
      const watch = b.watch('*');
      const there = [await watch.next(), await watch.next(), await watch.next()].map(({ value }) => value.id);
      assert.deepStrictEqual(there.sort(), [text, 'b', 'null'].sort());
      a.remove(peer);
      assert.deepStrictEqual((await watch.next()).value, { type: 'leave', id: text });
      await watch.return();
      await assert.rejects(b.send('b', id, 6), { code: 'ERR_PEER_NOT_FOUND', message: `Peer not found (id: ${id})` });
      await assert.rejects(b.find(id), { code: 'ERR_PEER_NOT_FOUND' });
    }
  );
}

test('a peer without an id is one with the id undefined, everywhere', options, async (t) => {
  const { a, b } = await pair(t);
  const heard = [];
  a.create().on('message', (from, message) => heard.push(message));
  assert.strictEqual(await b.send('b', undefined, 1), null);
  assert.strictEqual(await b.find(undefined), a.url);
  await until(() => heard.length === 1);
});
