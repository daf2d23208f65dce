'use strict';
// A subclass may override every method: nothing inside calls one.

const test = require('node:test');
const assert = require('node:assert');
const { ours, listening, until, next } = require('./both.js');

const METHODS = [
  'config',
  'create',
  'remove',
  'get',
  'find',
  'list',
  'listen',
  'join',
  'close',
  'publish',
  'subscribe',
  'unsubscribe'
];

test('no method of a host calls another one of the instance', { timeout: 30_000 }, async (t) => {
  const calls = [];
  class Nosy extends ours.Host {}
  for (const name of METHODS) {
    assert.strictEqual(typeof ours.Host.prototype[name], 'function', name);
    Nosy.prototype[name] = function () {
      calls.push(name);
      throw new Error(name + ' was called from inside');
    };
  }
  const call = (host, name, ...args) => ours.Host.prototype[name].apply(host, args);
  const other = await listening(t, ours);
  const host = new Nosy({ networkId: 'n', reconnectDelay: 10 });
  t.after(() => call(host, 'close'));
  other.networkId = 'n';
  await call(host, 'listen', '127.0.0.1', 0);
  await call(host, 'join', other.url);
  const peer = call(host, 'create', 'p');
  const heard = next(peer);
  const news = new Promise((resolve) => call(host, 'subscribe', 'c', resolve));
  assert.strictEqual(await other.find('p'), host.url);
  await other.send('s', 'p', 1);
  other.publish('c', 2);
  assert.deepStrictEqual([(await heard).message, await news], [1, 2]);
  assert.deepStrictEqual(await other.list(), ['p']);
  assert.deepStrictEqual(await call(host, 'list'), ['p']);
  await assert.rejects(call(host, 'find', 'x'));
  await assert.rejects(peer.send('x', 1));
  const third = await listening(t, ours, { networkId: 'n' });
  await third.join(other.url);
  await until(() => Object.keys(host.connections).length === 2);
  other.connections[host.url].close();
  await until(() => Object.keys(host.connections).length === 1);
  await until(() => Object.keys(host.connections).length === 2);
  call(host, 'unsubscribe', 'c', () => {});
  call(host, 'remove', peer);
  const first = call(host, 'close');
  assert.strictEqual(await call(host, 'listen', '127.0.0.1', 0), host); // waits for the close
  await first;
  assert.deepStrictEqual(calls, []);
});
