'use strict';
// Counters, and what waits.

const test = require('node:test');
const assert = require('node:assert');
const { ours, besideOriginal, pair, sever, until } = require('./support.js');

const options = { timeout: 60_000 };

test('stats count', options, async (t) => {
  assert.strictEqual(new ours.Host().stats().sent, 0);
  const { a, b, peer } = await pair(t);
  b.subscribe('c', () => {});
  await b.ready();
  await a.send('a', 'nobody', 1).catch(() => {});
  peer.on('message', () => {
    throw new Error('oops');
  });
  b.on('error', () => {});
  await a.send('a', 'b', 1);
  assert.strictEqual(a.publish('c', 1), true);
  await until(() => b.stats().heard === 1);
  const stats = a.stats();
  assert.strictEqual(stats.sent, 3);
  assert.strictEqual(stats.published, 1);
  assert.strictEqual(stats.outcomes.delivered, 1);
  assert.strictEqual(stats.outcomes.notFound, 1);
  assert.strictEqual(stats.outcomes.threw, 1);
  assert.strictEqual(b.stats().received, 2);
  assert.deepStrictEqual(Object.keys(stats.links), Object.keys(a.connections));
  const [link] = Object.values(stats.links);
  assert.strictEqual(link.connected, true);
  assert.ok(link.bytesIn > 0 && link.bytesIn <= stats.bytesIn && link.bytesOut > 0);
  await a.close();
  assert.strictEqual(a.stats().sent, 3);
  assert.deepStrictEqual(a.stats().links, {});
});

test('stats tell what waits, for hosts that are lost as well', options, async (t) => {
  const { a, b } = await pair(t, {}, { reconnectDelay: 1000 });
  const sends = [1, 2].map((n) => a.send('a', 'b', n));
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(a.stats().links[b.url].queuedMessages <= 2);
  await Promise.all(sends);
  assert.strictEqual(a.stats().undelivered, 0);
  sever(b);
  await until(() => Object.keys(a.connections).length === 0);
  const send = a.send('a', 'b', 'x'.repeat(1000), { offline: 'queue' });
  await new Promise((resolve) => setImmediate(resolve));
  const { undelivered, links } = a.stats();
  assert.strictEqual(undelivered, 1);
  const { connected, queuedMessages, queuedBytes, inFlightBytes } = links[b.url];
  assert.deepStrictEqual(
    { connected, queuedMessages, inFlightBytes },
    { connected: false, queuedMessages: 1, inFlightBytes: 0 }
  );
  assert.ok(queuedBytes > 1000 && queuedBytes < 2000);
  await send;
  assert.strictEqual(a.stats().undelivered, 0);
});

test('what goes to and comes from an original is counted as well', options, async (t) => {
  const [one, two] = await besideOriginal(t);
  one.create('theirs').on('message', () => {});
  two.create('ours').on('message', () => {});
  await two.send('ours', 'theirs', 1);
  await one.send('theirs', 'ours', 1);
  const { sent, received, outcomes, links } = two.stats();
  assert.deepStrictEqual({ sent, received, delivered: outcomes.delivered }, { sent: 1, received: 1, delivered: 1 });
  assert.ok(links[one.url].bytesIn > 0 && links[one.url].bytesOut > 0);
});
