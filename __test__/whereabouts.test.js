'use strict';
// Peers are where their hosts are: these leave, die, and are started again, also elsewhere.

const test = require('node:test');
const assert = require('node:assert');
const { listening, next, ours, pair, sever, until } = require('./support.js');

const options = { timeout: 60_000 };

/** Ends a host for the others as if its process had been killed. */
async function kill(host, others) {
  host.config({ reconnectDelay: 600_000 });
  host.server.close();
  sever(host);
  await until(() =>
    others.every((other) => Object.keys(other.connections).every((key) => !key.includes(`:${host.port}`)))
  );
}

/** A host with a peer `b` that has died, and two that live: the first one has sent to it. */
async function bereaved(t, settings) {
  const { a, b } = await pair(t, settings);
  const c = await listening(t);
  await c.join(a.url);
  await kill(b, [a, c]);
  return { a, b, c };
}

for (const leave of ['close', 'drain']) {
  test(`a peer is found elsewhere although its host has left by ${leave} while it was asked`, options, async (t) => {
    for (let turns = 0; turns < 20; turns++) {
      const [a, b, c] = [await listening(t), await listening(t), await listening(t)];
      await b.join(a.url);
      await c.join(a.url);
      b.create('worker').on('message', () => {});
      const first = a.send('me', 'worker', 1).catch((err) => err.code);
      for (let turn = 0; turn < turns % 5; turn++) await new Promise(setImmediate);
      await b[leave]();
      assert.ok(
        [null, 'ERR_PEER_NOT_FOUND', 'ERR_DELIVERY_UNKNOWN', 'ERR_PEER_UNREACHABLE'].includes(await first),
        String(await first)
      );
      c.create('worker').on('message', () => {});
      assert.strictEqual(await a.send('me', 'worker', 2), null);
      await Promise.all([a.close(), c.close()]);
    }
  });
}

test('a host that listens later keeps its peers when its connection is lost', options, async (t) => {
  const a = await listening(t);
  const b = new ours.Host({ reconnectDelay: 20 });
  t.after(() => b.close());
  await b.join(a.url);
  b.create('worker').on('message', () => {});
  await a.send('me', 'worker', 1);
  await b.listen('127.0.0.1', 0);
  const back = new Promise((resolve) => b.once('reconnect', resolve));
  for (const connection of Object.values(b.connections)) connection.close();
  await back;
  assert.strictEqual(await a.send('me', 'worker', 2), null);
  assert.strictEqual(a.addresses.worker, b.url);
  assert.strictEqual(await a.find('worker'), b.url);
});

for (const listens of [true, false]) {
  test(
    `a worker that died is reached at once where it was started again${listens ? '' : ', also if it does not listen'}`,
    options,
    async (t) => {
      const { a, c } = await bereaved(t);
      await assert.rejects(a.send('a', 'b', 1), { code: 'ERR_PEER_UNREACHABLE' });
      const again = listens ? await listening(t) : new ours.Host();
      t.after(() => again.close());
      await again.join(c.url);
      const peer = again.create('b');
      const heard = next(peer);
      await until(() => Object.keys(a.connections).length === 2);
      assert.strictEqual(await a.find('b'), listens ? again.url : null);
      assert.strictEqual(await a.send('a', 'b', 2), null);
      assert.deepStrictEqual(await heard, { from: 'a', message: 2 });
    }
  );
}

for (const [where, settings] of [
  ['at the same url', undefined],
  ['at another one', undefined],
  ['at the same url, and makes its peers late', { late: true }]
]) {
  test(`what waits for a lost host is delivered when its process is started again ${where}`, options, async (t) => {
    const { a, b, c } = await bereaved(t);
    const port = where === 'at another one' ? 0 : b.port;
    const sends = [1, 2, 3].map((n) => a.send('a', 'b', n, { offline: 'queue' }));
    const again = new ours.Host();
    t.after(() => again.close());
    await again.listen('127.0.0.1', port);
    await again.join(c.url);
    await until(() => Object.keys(a.connections).length === 2);
    // It is asked in vain first.
    if (settings) await a.find('b').catch(() => {});
    const received = [];
    again.create('b').on('message', (from, message) => received.push(message));
    assert.deepStrictEqual(await Promise.all(sends), [null, null, null]);
    assert.deepStrictEqual(received, [1, 2, 3]);
  });
}

test(
  'what waits for a lost host that is given up was not delivered, and this host is not closed',
  options,
  async (t) => {
    const { a, b } = await bereaved(t);
    const send = a.send('a', 'b', 1, { offline: 'queue' });
    for (const timer of Object.values(a.timers)) timer.close();
    await assert.rejects(send, {
      code: 'ERR_PEER_UNREACHABLE',
      message: `Peer unreachable (id: b, url: ${b.url ?? a.addresses.b})`
    });
  }
);
