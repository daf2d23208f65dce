'use strict';
// What is taken and what is not: sizes, ids, handshakes, connections; and that the defaults do for a burst.

const test = require('node:test');
const assert = require('node:assert');
const net = require('node:net');
const { once } = require('node:events');
const WebSocket = require('ws');
const { ours, original, besideOriginal, listening, next, pair, sever, until } = require('./support.js');

const options = { timeout: 60_000 };

/** A raw WebSocket client. */
async function raw(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.write(
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
  );
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1.1 101 /);
  return socket;
}

function close(socket) {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else
      socket
        .resume()
        .on('error', () => {})
        .once('close', resolve);
  });
}

test('bad options are refused before anything changes', () => {
  const limits = [
    'maxPayload',
    'maxIdLength',
    'maxQueueBytes',
    'maxInFlight',
    'maxAddresses',
    'maxSubscriptions',
    'maxConnections',
    'maxPendingHandshakes',
    'maxStrangerBytes',
    'maxBufferBytes',
    'handshakeTimeout'
  ];
  const host = new ours.Host();
  assert.throws(() => new ours.Host({ maxInFlight: 0 }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
  const before = host.config();
  for (const name of limits) {
    for (const value of ['1', null, {}, true]) {
      const expected = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
      assert.throws(() => host.config({ mine: 1, [name]: value }), expected, `${name}: ${String(value)}`);
    }
    for (const value of [-1, NaN, Infinity, 2 ** 50, ...(name === 'handshakeTimeout' ? [0] : [0.5])]) {
      const expected = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
      assert.throws(() => host.config({ mine: 1, [name]: value }), expected, `${name}: ${value}`);
    }
  }
  assert.throws(() => host.config({ offline: 'wait' }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
  assert.deepStrictEqual(host.config(), before);
  host.config({
    maxPayload: 1e6,
    maxIdLength: 100,
    maxQueueBytes: 1e6,
    maxInFlight: 10,
    maxConnections: 0,
    handshakeTimeout: 1,
    offline: 'queue'
  });
});

test('the addresses that were not used for longest are forgotten, and found again', options, async (t) => {
  const { a, b } = await pair(t, { maxAddresses: 2 });
  const heard = [];
  for (const id of ['one', 'two', 'three'])
    b.create(id).on('message', (from, message) => {
      heard.push([id, message]);
    });
  await a.send('a', 'one', 1);
  await a.send('a', 'two', 1);
  await a.send('a', 'one', 2);
  await a.send('a', 'three', 1);
  assert.deepStrictEqual(Object.keys(a.addresses).sort(), ['one', 'three']);
  assert.strictEqual(await a.send('a', 'two', 2), null);
  assert.strictEqual(Object.keys(a.addresses).length, 2);
  assert.deepStrictEqual(heard, [
    ['one', 1],
    ['two', 1],
    ['one', 2],
    ['three', 1],
    ['two', 2]
  ]);
});

test('a message that is too large is refused at its sender', options, async (t) => {
  const { a, b, peer } = await pair(t, { maxPayload: 100_000 });
  const tooLarge = { code: 'ERR_MESSAGE_TOO_LARGE' };
  for (const message of ['x'.repeat(100_001), 'é'.repeat(50_001), ['x'.repeat(100_000)], Buffer.alloc(100_001)]) {
    await assert.rejects(a.send('a', 'b', message), tooLarge);
  }
  const [fine] = await Promise.all([next(peer), a.send('a', 'b', 'x'.repeat(99_000))]);
  assert.strictEqual(fine.message.length, 99_000);
  // The other one has learnt what the first one takes.
  a.create('a').on('message', () => {});
  await assert.rejects(b.send('b', 'a', 'x'.repeat(100_001)), tooLarge);
  assert.strictEqual(await b.send('b', 'a', 'x'.repeat(99_000)), null);
  assert.strictEqual(Object.keys(a.connections).length, 1);
  assert.strictEqual(a.stats().reconnects, 0);
});

test('17 MB come from an original and go there', options, async (t) => {
  const [other, host] = await besideOriginal(t);
  const message = 'x'.repeat(17e6);
  for (const [from, to] of [
    [host, other],
    [other, host]
  ]) {
    const id = to === host ? 'ours' : 'theirs';
    const lengths = [];
    to.create(id).on('message', (from, { length }) => lengths.push(length));
    await from.send('a', id, message);
    assert.deepStrictEqual(lengths, [17e6]);
  }
});

test('a frame that is too large ends its connection with 1009, when its header has come', options, async (t) => {
  const host = await listening(t, { maxPayload: 100_000 });
  const socket = await raw(host.port);
  const header = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 1, 0x86, 0xa1, 0, 0, 0, 0]); // 100001 bytes
  socket.write(header);
  const [answer] = await once(socket, 'data');
  assert.deepStrictEqual([...answer.subarray(0, 4)], [0x88, 2, 1009 >> 8, 1009 & 255]);
  await close(socket);
});

test('ids and channels that are too long are refused', options, async (t) => {
  const { a, b } = await pair(t, { maxIdLength: 10 });
  const [fine, long] = ['0123456789', '0123456789x'];
  const tooLong = { name: 'RangeError', code: 'ERR_ID_TOO_LONG' };
  assert.throws(() => a.create(long), tooLong);
  assert.throws(() => a.subscribe(long, () => {}), tooLong);
  await assert.rejects(a.send('a', long, 1), tooLong);
  await assert.rejects(a.send(long, 'b', 1), tooLong);
  a.create(fine).on('message', () => {});
  assert.strictEqual(await b.send('b', fine, 1), null);
  assert.strictEqual(await a.send(fine, 'b', 1), null);
  await assert.rejects(b.send('b', long, 1), { code: 'ERR_PEER_NOT_FOUND' });
  await assert.rejects(b.send(long, fine, 1), { code: 'ERR_MESSAGE_TOO_LARGE' });
  const other = new original.Host({ reconnectTimeout: 0 });
  await other.join(a.url);
  await assert.rejects(other.send('b', long, 1), /Peer not found/);
  sever(other); // it would wait for the answer to a goodbye
});

test('handshakes that take too long end, on both sides', options, async (t) => {
  const host = await listening(t, { handshakeTimeout: 100 });
  const socket = net.connect(host.port, '127.0.0.1');
  await close(socket);
  const silent = net
    .createServer((socket) => {
      socket.resume();
    })
    .listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (silent.address());
  const expected = { code: 'ERR_HANDSHAKE_TIMEOUT', message: /within 100 ms/ };
  await assert.rejects(host.join(`ws://127.0.0.1:${port}`), expected);
});

test('no more connections are taken than may be', options, async (t) => {
  const host = await listening(t, { maxConnections: 2 });
  const first = await raw(host.port);
  const second = await raw(host.port);
  const third = net.connect(host.port, '127.0.0.1');
  await close(third);
  first.destroy();
  let again;
  await until(() => {
    again ??= net
      .connect(host.port, '127.0.0.1')
      .on('error', () => {})
      .once('close', () => {
        again = undefined;
      });
    return true;
  });
  // Room is made when the end of the first one has been noticed.
  const joiner = new ours.Host();
  t.after(() => {
    joiner.close();
    again?.destroy();
    second.destroy();
  });
  for (;;) {
    const joined = await joiner.join(host.url).catch(() => null);
    if (joined !== null) break;
  }
  assert.strictEqual(Object.keys(host.connections).length, 1);
});

test('strangers who hold up their handshakes keep nobody out', options, async (t) => {
  const host = await listening(t, { maxPendingHandshakes: 10, handshakeTimeout: 60_000 });
  const strangers = Array.from({ length: 50 }, () => net.connect(host.port, '127.0.0.1').on('error', () => {}));
  t.after(() => strangers.forEach((socket) => socket.destroy()));
  await Promise.all(strangers.slice(0, 40).map(close));
  const joiner = new ours.Host();
  t.after(() => joiner.close());
  await joiner.join(host.url);
  await until(() => strangers.filter((socket) => socket.closed).length >= 40);
  assert.ok(strangers.filter((socket) => !socket.closed).length >= 9);
});

test('large messages of many hosts at once arrive one after the other', options, async (t) => {
  const host = await listening(t, { maxBufferBytes: 65_536 });
  const lengths = [];
  host.create('here').on('message', (from, message) => {
    lengths.push(message.length);
  });
  const others = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const other = new ours.Host();
      t.after(() => other.close());
      await other.join(host.url);
      return other;
    })
  );
  const large = 'x'.repeat(8 << 20);
  await Promise.all(others.map((other) => other.send('there', 'here', large)));
  assert.deepStrictEqual(lengths, Array(6).fill(large.length));
  assert.ok(others.every((other) => other.connections[host.url]));
});

test('who greets and does not read answers is closed, and others are not', options, async (t) => {
  const host = await listening(t, { maxBufferBytes: 1 << 20 });
  const joiner = new ours.Host();
  t.after(() => joiner.close());
  await joiner.join(host.url);
  host.create('here').on('message', () => {});
  const all = Array.from({ length: 2 }, () => new WebSocket(host.url));
  for (const socket of all) {
    t.after(() => socket.terminate());
    socket.on('error', () => {});
    if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
    socket.send('{"id":1,"message":{"method":"greeting","params":{}}}');
    await once(socket, 'message');
    socket.pause();
    const ping = JSON.stringify({ id: 2, message: { method: 'ping', params: 'x'.repeat(1 << 20) } });
    for (let n = 0; n < 30; n++) socket.send(ping);
  }
  // Until nothing is read any more: they are closed, or the socket is full.
  let before;
  do {
    before = host.stats().bytesIn;
    await new Promise((resolve) => setTimeout(resolve, 500));
  } while (host.stats().bytesIn > before);
  for (const socket of all) socket.resume();
  await Promise.all(all.map((socket) => socket.readyState === WebSocket.CLOSED || once(socket, 'close')));
  await joiner.send('there', 'here', 'still there');
  assert.ok(joiner.connections[host.url]);
});

test('a burst of 400,000 fits into the defaults', options, async (t) => {
  const { a, b } = await pair(t);
  let heard = 0;
  let dropped = 0;
  b.subscribe('c', () => {
    heard++;
  });
  await b.ready();
  a.on('drop', (url, channel, count) => {
    dropped += count;
  });
  const sends = Array.from({ length: 400_000 }, () => a.send('a', 'b', 'hello world'));
  for (const outcome of await Promise.all(sends)) assert.strictEqual(outcome, null);
  for (let i = 0; i < 400_000; i++) a.publish('c', 'hello world');
  await until(() => heard === 400_000);
  assert.strictEqual(dropped, 0);
});
