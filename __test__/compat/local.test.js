'use strict';
// COMPAT 3 to 7: sends and publishes on one host.

const test = require('node:test');
const assert = require('node:assert');
const { both, host, pair, ours } = require('./both.js');

both('send works detached, and from need not exist', async (t, distribus) => {
  const one = host(t, distribus);
  const got = [];
  one.create('a').on('message', (from, message) => got.push([from, message]));
  const { send } = one;
  assert.strictEqual(await send('nobody', 'a', 1), null);
  assert.strictEqual(await send(undefined, 'a', 2), null);
  assert.deepStrictEqual(got, [
    ['nobody', 1],
    [undefined, 2]
  ]);
});

both('a local message is passed by reference, synchronously, to the listeners in order', (t, distribus) => {
  const one = host(t, distribus);
  const message = { method() {}, nothing: undefined };
  message.self = message;
  const got = [];
  const peer = one.create('a');
  peer.on('message', (from, m) => got.push(1, from, m));
  peer.on('message', (from, m) => got.push(2, from, m));
  one.send('b', 'a', message);
  assert.deepStrictEqual(got, [1, 'b', message, 2, 'b', message]);
  assert.strictEqual(got[2], message);
});

both('a local listener that throws: send and publish throw the same, later ones are skipped', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  const thrown = { not: 'an Error' };
  const boom = () => {
    throw thrown;
  };
  const fail = () => assert.fail('called');
  const peer = one.create('a');
  peer.on('message', boom);
  peer.on('message', fail);
  assert.throws(
    () => one.send('b', 'a', 1),
    (err) => err === thrown
  );
  one.subscribe('c', boom);
  one.subscribe('c', fail);
  const heard = [];
  two.subscribe('c', (message) => heard.push(message));
  assert.throws(
    () => one.publish('c', 'not for the others'),
    (err) => err === thrown
  );
  one.unsubscribe('c', boom);
  one.unsubscribe('c', fail);
  one.publish('c', 'for all');
  two.create('last');
  await one.send('x', 'last', 1);
  assert.deepStrictEqual(heard, ['for all']);
});

both(
  'listeners added during an emit are not called in it; the same one twice is called twice; any event name',
  (t, distribus) => {
    const peer = host(t, distribus).create('a');
    const got = [];
    const listener = (a, b) => {
      got.push([a, b]);
      peer.on('any name', listener);
    };
    peer.on('any name', listener);
    peer.on('any name', listener);
    peer.emit('any name', 1, 2);
    assert.deepStrictEqual(got, [
      [1, 2],
      [1, 2]
    ]);
    peer.emit('nobody listens', 1, 2);
  }
);

both('publish: subscribers added during dispatch are not called, unsubscribe removes one', (t, distribus) => {
  const one = host(t, distribus);
  const got = [];
  const callback = (message) => {
    got.push(message);
    if (got.length === 1) one.subscribe('c', callback);
  };
  one.subscribe('c', callback);
  one.publish('c', 1);
  assert.deepStrictEqual(got, [1]);
  one.unsubscribe('c', callback);
  one.publish('c', 2);
  assert.deepStrictEqual(got, [1, 2]);
  one.unsubscribe('c', () => {});
  one.unsubscribe('other', callback);
  assert.deepStrictEqual(Object.keys(one.channels), ['c']);
  one.unsubscribe('c', callback);
  assert.deepStrictEqual(Object.keys(one.channels), []);
  one.publish('c', 3);
  assert.deepStrictEqual(got, [1, 2]);
});

test('Fixed: unsubscribing the current or an earlier subscriber skips nobody', () => {
  const one = new ours.Host();
  const got = [];
  const subscribers = [0, 1, 2, 3].map((i) => () => {
    got.push(i);
    if (i === 1) for (const gone of [0, 1, 3]) one.unsubscribe('c', subscribers[gone]);
  });
  for (const subscriber of subscribers) one.subscribe('c', subscriber);
  one.publish('c', 1);
  assert.deepStrictEqual(got, [0, 1, 2]);
});
