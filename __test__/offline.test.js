'use strict';
// What is sent and published while a host is lost.

const test = require('node:test');
const assert = require('node:assert');
const { listening, pair, sever, until } = require('./support.js');

const options = { timeout: 60_000 };

test('a send waits for a lost host when it is told to', options, async (t) => {
  const { a, b, peer } = await pair(t, {}, { reconnectDelay: 1000 });
  sever(b);
  await until(() => Object.keys(a.connections).length === 0);
  const unreachable = { code: 'ERR_PEER_UNREACHABLE' };
  await assert.rejects(a.send('a', 'b', 1), unreachable);
  const first = a.send('a', 'b', 2, { offline: 'queue' });
  a.config({ offline: 'queue' });
  const second = a.create('a').send('b', 3);
  await assert.rejects(a.send('a', 'b', 4, { offline: 'reject' }), unreachable);
  await assert.rejects(a.send('a', 'b', 4, { offline: 1 }), { code: 'ERR_INVALID_ARG_VALUE' });
  const received = [];
  peer.on('message', (from, message) => received.push(message));
  assert.deepStrictEqual(await Promise.all([first, second]), [null, null]);
  assert.deepStrictEqual(received, [2, 3]);
  assert.ok(a.stats().reconnects >= 1);
});

test('what waits for a lost host for too long is a timeout', options, async (t) => {
  const { a, b } = await pair(t, { requestTimeout: 200 }, { reconnectDelay: 60_000 });
  sever(b);
  await until(() => Object.keys(a.connections).length === 0);
  await assert.rejects(a.send('a', 'b', 1, { offline: 'queue' }), { code: 'ERR_REQUEST_TIMEOUT' });
});

test('a send waits also when nobody knows yet where its peer lives', options, async (t) => {
  const { a, b } = await pair(t, {}, { reconnectDelay: 1000 });
  const received = [];
  b.create('never asked for').on('message', (from, message) => received.push(message));
  sever(b);
  await until(() => Object.keys(a.connections).length === 0);
  const waits = a.send('a', 'never asked for', 1, { offline: 'queue' });
  await assert.rejects(a.send('a', 'never asked for', 2), { code: 'ERR_PEER_NOT_FOUND' });
  assert.strictEqual(await waits, null);
  assert.deepStrictEqual(received, [1]);
});

for (const interested of [true, false]) {
  test(
    `what is published waits for lost hosts as far as it may${interested ? '' : ', for those alone that listen'}`,
    options,
    async (t) => {
      const { a, b } = await pair(t, { maxQueueBytes: 64 * 1024 }, { reconnectDelay: 1000 });
      const heard = [];
      const gaps = [];
      const drops = [];
      if (interested) b.subscribe('c', ({ n }) => heard.push(n));
      else b.subscribe('other', () => {});
      await b.ready();
      b.on('gap', (...args) => gaps.push(args));
      a.on('drop', (...args) => drops.push(args));
      sever(b);
      await until(() => Object.keys(a.connections).length === 0);
      for (let n = 0; n < 100; n++) a.publish('c', { n, text: 'x'.repeat(1000) });
      // The queue is full until the other host has taken what waited.
      await until(() => Object.keys(a.connections).length === 1 && a.stats().undelivered === 0);
      a.publish('c', { n: 100 });
      await a.send('a', 'b', 'after all of that');
      if (!interested) {
        assert.deepStrictEqual([heard, gaps, drops], [[], [], []]);
        return;
      }
      const dropped = drops.reduce((sum, [url, channel, count]) => {
        assert.deepStrictEqual([url, channel], [b.url, 'c']);
        return sum + count;
      }, 0);
      assert.ok(dropped > 20 && dropped < 80, `${dropped} were dropped`);
      assert.deepStrictEqual(heard, [...Array.from({ length: 100 - dropped }, (_, n) => n), 100]);
      assert.deepStrictEqual(gaps, [[a.url, dropped]]);
      assert.strictEqual(a.stats().dropped, dropped);
      assert.strictEqual(b.stats().gaps, 1);
    }
  );
}

test('who loses a host for good learns that something may be missing', options, async (t) => {
  const a = await listening(t, { reconnectTimeout: 100 });
  const { b } = await pair(t);
  await b.join(a.url);
  a.subscribe('c', () => {});
  const gap = new Promise((resolve) => a.on('gap', (...args) => resolve(args)));
  b.publish('c', 1);
  for (const timer of Object.values(b.timers)) timer.close();
  b.config({ reconnectDelay: 60_000 });
  sever(b);
  assert.deepStrictEqual(await gap, [b.url, null]);
});
