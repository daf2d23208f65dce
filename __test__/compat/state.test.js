'use strict';
// COMPAT 2: the observable state, which programs read and assign.

const test = require('node:test');
const assert = require('node:assert');
const util = require('node:util');
const { both, host, listening, pair, next, until, ours } = require('./both.js');

both('own properties of a new host', (t, distribus) => {
  const one = host(t, distribus);
  const names = [
    'peers',
    'addresses',
    'channels',
    'options',
    'server',
    'address',
    'port',
    'connections',
    'timers',
    'send'
  ];
  assert.deepStrictEqual(Object.keys(one).sort(), names.sort());
  assert.deepStrictEqual([one.url, one.networkId], [undefined, undefined]);
  assert.deepStrictEqual([one.server, one.address, one.port], [null, null, null]);
  for (const name of ['peers', 'addresses', 'channels', 'connections', 'timers']) assert.deepEqual(one[name], {});
});

both('state while listening, and after close', async (t, distribus) => {
  const one = await listening(t, distribus);
  assert.ok(Object.keys(one).includes('url'));
  assert.deepStrictEqual([one.address, one.url], ['127.0.0.1', `ws://127.0.0.1:${one.port}`]);
  assert.strictEqual(typeof one.server.close, 'function');
  await one.close();
  assert.deepStrictEqual([one.url, one.address, one.port, one.server], [null, null, null, null]);
});

both('peers, channels, connections and addresses hold what programs expect', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  const callback = () => {};
  const peer = one.create('p');
  one.subscribe('c', callback);
  assert.strictEqual(one.peers.p, peer);
  assert.deepStrictEqual(one.channels.c, [callback]);
  assert.deepStrictEqual(Object.keys(one.connections), [two.url]);
  assert.strictEqual(typeof one.connections[two.url].close, 'function');
  await two.find('p');
  assert.deepEqual(two.addresses, { p: one.url });
  assert.ok(one.peers.hasOwnProperty('p') && !one.peers.hasOwnProperty('q')); // eslint-disable-line no-prototype-builtins
});

both('connections[url].close ends the connection, on both sides', async (t, distribus) => {
  const [one, two] = await pair(t, distribus, { reconnectDelay: 40_000 });
  one.connections[two.url].close();
  await until(() => Object.keys(one.connections).length + Object.keys(two.connections).length === 0);
  assert.deepStrictEqual(Object.keys(two.timers), [one.url]);
});

both('server.close cuts everybody off at once, and the fields can be assigned', async (t, distribus) => {
  const [one, two] = await pair(t, distribus, { reconnectDelay: 40_000 });
  const { port, url } = one;
  one.create('p');
  await two.find('p');
  one.server.close();
  one.server = one.address = one.port = one.url = null;
  await until(() => Object.keys(two.connections).length === 0);
  assert.deepEqual(two.addresses, { p: url });
  await one.listen('127.0.0.1', port);
  assert.strictEqual(one.url, url);
});

both('every field can be assigned, and what is assigned is used', async (t, distribus) => {
  const one = await listening(t, distribus);
  const two = await listening(t, distribus);
  for (const it of [one, two])
    for (const name of ['peers', 'channels', 'addresses', 'connections', 'timers']) it[name] = {};
  const donor = new distribus.Host();
  one.peers = { p: donor.create('p') };
  await two.join(one.url);
  assert.deepStrictEqual(Object.keys(one.connections), [two.url]);
  assert.deepStrictEqual(Object.keys(two.connections), [one.url]);
  assert.strictEqual(await two.find('p'), one.url);
  assert.deepStrictEqual(two.addresses, { p: one.url });
  const got = [];
  one.peers.p.on('message', (from, message) => got.push(message));
  assert.strictEqual(await two.send('s', 'p', 1), null);
  assert.strictEqual(await one.send('s', 'p', 2), null);
  one.channels = { c: [(message) => got.push(message)] };
  one.publish('c', 3);
  two.publish('c', 4);
  await until(() => got.length === 4);
  assert.deepStrictEqual(got, [1, 2, 3, 4]);
  delete one.peers.p;
  await assert.rejects(Promise.resolve(one.send('s', 'p', 1)));
});

both('an assigned url and networkId are what other hosts are told', async (t, distribus) => {
  const one = await listening(t, distribus);
  const two = await listening(t, distribus);
  one.networkId = two.networkId = 'assigned';
  two.url = two.url.replace('127.0.0.1', 'localhost');
  await two.join(one.url);
  assert.deepStrictEqual(Object.keys(one.connections), [two.url]);
  two.create('p');
  assert.strictEqual(await one.find('p'), two.url);
  two.networkId = 'another';
  const three = host(t, distribus, { networkId: 'assigned' });
  await assert.rejects(Promise.resolve(three.join(two.url)), { message: 'Network id mismatch (assigned !== another)' });
});

both('an address that the program has noted is what find answers', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  two.addresses = { elsewhere: 'ws://127.0.0.1:9' };
  assert.strictEqual(await two.find('elsewhere'), 'ws://127.0.0.1:9');
  assert.strictEqual(await one.find('elsewhere').catch((err) => err.message), 'Peer not found (id: elsewhere)');
});

both('function constructors can call Host', async (t, distribus) => {
  function Old(options) {
    distribus.Host.call(this, options);
  }
  util.inherits(Old, distribus.Host);
  const old = new Old({ type: 'mine' });
  assert.ok(old instanceof distribus.Host);
  assert.strictEqual(old.config().type, 'mine');
  assert.strictEqual(await old.listen('127.0.0.1', 0), old);
  await old.close();
});

test('state changes between turns only', { timeout: 30_000 }, async (t) => {
  const [one, two] = await pair(t, ours);
  const heard = next(one.create('p'));
  two.send('s', 'p', 1);
  const seen = Object.keys(two.addresses);
  for (const end = Date.now() + 50; Date.now() < end;);
  assert.deepStrictEqual(Object.keys(two.addresses), seen);
  await heard;
});
