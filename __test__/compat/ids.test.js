'use strict';
// COMPAT 8 to 11 and 14: ids of peers and names of channels.

const test = require('node:test');
const assert = require('node:assert');
const { both, host, listening, pair, ours, until } = require('./both.js');

both('an id keeps its type and is looked up as a string', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  const got = [];
  const seven = one.create(7);
  assert.strictEqual(seven.id, 7);
  seven.on('message', (from, message) => got.push([from, message]));
  assert.throws(() => one.create('7'), { message: 'Id already exists (id: 7)' });
  assert.strictEqual(one.get('7'), seven);
  const eight = one.create(8);
  eight.send('7', 'local');
  await two.create(9).send(7, 'number');
  await two.get(9).send('7', 'text');
  assert.deepStrictEqual(got, [
    [8, 'local'],
    [9, 'number'],
    [9, 'text']
  ]);
});

both('odd ids', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  for (const id of [undefined, null, NaN, true, '']) {
    const peer = one.create(id);
    assert.ok(Object.is(peer.id, id));
    assert.strictEqual(one.get(id), peer);
    assert.strictEqual(await one.send('a', id, 1), null);
    assert.throws(() => one.create(String(id)), { message: `Id already exists (id: ${id})` });
  }
  assert.ok('undefined' in one.peers);
  assert.strictEqual(await two.find(true), one.url);
  assert.strictEqual(await two.send('a', 'null', 1), null);
});

both('remove', async (t, distribus) => {
  const one = host(t, distribus);
  for (const id of [0, '', null]) {
    one.create(id);
    one.remove(id);
  }
  one.remove();
  assert.deepStrictEqual(Object.keys(one.peers), ['0', '', 'null']);
  const old = one.create('a');
  one.remove('a');
  one.create('a');
  one.remove(old);
  assert.strictEqual(one.get('a'), null);
  one.create('b');
  one.remove(host(t, distribus).create('b'));
  assert.strictEqual(one.get('b'), null);
  one.remove('never there');
  const got = [];
  one.create('c').on('message', (from) => got.push(from));
  await old.send('c', 1);
  assert.deepStrictEqual(got, ['a']);
});

both('find of a local peer, and of none', async (t, distribus) => {
  const alone = host(t, distribus);
  alone.create('a');
  assert.strictEqual(await alone.find('a'), null);
  await assert.rejects(Promise.resolve(alone.find('b')), { message: 'Peer not found (id: b)' });
  await assert.rejects(Promise.resolve(alone.send('x', 'b', 1)), { message: 'Peer not found (id: b)' });
  const one = await listening(t, distribus);
  one.create('a');
  assert.strictEqual(await one.find('a'), one.url);
});

both('local peers win over cached addresses', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  one.create('a').on('message', () => assert.fail('went to the other host'));
  assert.strictEqual(await two.find('a'), one.url);
  const got = [];
  two.create('a').on('message', (from, message) => got.push(message));
  assert.strictEqual(await two.find('a'), two.url);
  await two.send('x', 'a', 1);
  assert.deepStrictEqual(got, [1]);
});

both('a channel with a * is heard when that is published', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  const got = [];
  one.subscribe('a.*', (message) => got.push(message));
  one.publish('a.*', 1);
  two.publish('a.*', 2);
  await until(() => got.length === 2);
  assert.deepStrictEqual(got, [1, 2]);
});

test(
  'Fixed: names of Object.prototype are ordinary ids and channels, across hosts as well',
  { timeout: 30_000 },
  async (t) => {
    const [one, two] = await pair(t, ours);
    for (const name of [...Object.getOwnPropertyNames(Object.prototype), 'prototype']) {
      await assert.rejects(two.find(name), { message: `Peer not found (id: ${name})` });
      const got = [];
      const peer = one.create(name);
      peer.on('message', (from, message) => got.push(message));
      one.subscribe(name, (message) => got.push(message));
      assert.strictEqual(await two.find(name), one.url);
      assert.strictEqual(two.addresses[name], one.url);
      two.publish(name, 2);
      assert.strictEqual(await two.send(name, name, 1), null);
      assert.deepStrictEqual(got, [2, 1], name);
      one.remove(name);
      await assert.rejects(two.send('x', name, 1), { message: `Peer not found (id: ${name})` });
    }
    assert.strictEqual({}.polluted, undefined);
  }
);

test('an id that JSON cannot carry rejects its own call', { timeout: 30_000 }, async (t) => {
  const [one, two] = await pair(t, ours);
  one.create('x').on('message', () => {});
  await assert.rejects(two.send('s', 10n, 1), { code: 'ERR_INVALID_ARG_TYPE' });
  await assert.rejects(two.find(10n), { code: 'ERR_INVALID_ARG_TYPE' });
  await assert.rejects(two.find(Object.create(null)), TypeError);
  assert.strictEqual(await two.send('s', 'x', 1), null);
});
