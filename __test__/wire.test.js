'use strict';
// A stranger on the wire, by hand: what is answered, what is ignored, and that nothing kills the host.

const test = require('node:test');
const assert = require('node:assert');
const { once } = require('node:events');
const WebSocket = require('ws');
const { listening } = require('./support.js');

async function stranger(t, host) {
  const socket = new WebSocket(host.url);
  t.after(() => socket.terminate());
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return (frame) =>
    new Promise((resolve) => {
      socket.once('message', (data) => resolve(JSON.parse(String(data))));
      socket.send(frame);
    });
}

test('answers', { timeout: 30_000 }, async (t) => {
  const host = await listening(t);
  host.create('here');
  const ask = await stranger(t, host);
  const message = async (method, params, id = 1) => ask(JSON.stringify({ id, message: { method, params } }));
  assert.deepStrictEqual(await message('ping', 5), { id: 1, message: { result: 5, error: null }, error: null });
  assert.deepStrictEqual(await message('find', { id: 'here' }, { a: 1 }), {
    id: { a: 1 },
    message: host.url,
    error: null
  });
  assert.deepStrictEqual(await message('find', { id: '__proto__' }), { id: 1, message: null, error: null });
  assert.deepStrictEqual(await message('publish', { channel: 'c' }), {
    id: 1,
    message: { result: null, error: null },
    error: null
  });
  assert.strictEqual((await message('send', { to: 'constructor' })).error, 'Error: Peer not found (id: constructor)');
  assert.strictEqual((await message('foo')).error, 'Unknown method "foo"');
  assert.strictEqual((await ask('{"id":1,"message":7}')).error, 'Unknown method "undefined"');
  assert.strictEqual((await message('goodbye')).message, 'goodbye');
  assert.strictEqual((await message('ping')).error, null);
});

test('frames that mean nothing', { timeout: 60_000 }, async (t) => {
  const host = await listening(t);
  const ask = await stranger(t, host);
  const frames = [
    '',
    '{',
    '{}',
    '[1]',
    ' {"id":1}',
    '{"message":null}',
    '{"id":1,"message":',
    Buffer.from([1, 2, 255]),
    '{"message":{"method":"greeting"}}',
    '{"message":{"method":"send"}}',
    '{"id":"toString","error":null}',
    'x'.repeat(10_000_000),
    '{"message":{"method":"send","params":{"to":"\\ud800\\u0000","message":"\\udfff"}}}',
    '{"message":{"method":"hosts","params":{"urls":[1,null,{}]}}}',
    '{"message":' + '['.repeat(100_000)
  ];
  const socket = new WebSocket(host.url);
  t.after(() => socket.terminate());
  await new Promise((resolve) => socket.once('open', resolve));
  for (const frame of frames) socket.send(frame);
  const alive = new Promise((resolve) =>
    socket.on('message', (data) => {
      if (String(data).includes('"still"')) resolve();
    })
  );
  socket.send('{"id":"still","message":{"method":"ping"}}');
  await alive;
  assert.strictEqual((await ask('{"id":1,"message":{"method":"ping"}}')).error, null);
  const response = await fetch(host.url.replace('ws:', 'http:'));
  assert.deepStrictEqual([response.status, await response.text()], [200, 'Not implemented']);
});

test('pings, fragments, close frames', { timeout: 30_000 }, async (t) => {
  const host = await listening(t);
  const socket = new WebSocket(host.url);
  t.after(() => socket.terminate());
  await once(socket, 'open');
  socket.ping('are you there');
  assert.strictEqual(String((await once(socket, 'pong'))[0]), 'are you there');
  const text = JSON.stringify({ id: 1, message: { method: 'ping', params: 'é'.repeat(30_000) } });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 20_000) {
    socket.send(bytes.subarray(at, at + 20_000), { binary: false, fin: at + 20_000 >= bytes.length });
    socket.ping();
  }
  const [answer] = await once(socket, 'message');
  assert.strictEqual(JSON.parse(String(answer)).message.result.length, 30_000);
  socket.close(4321, 'enough');
  const [code] = await once(socket, 'close');
  assert.strictEqual(code, 4321);
});

test('who breaks the protocol right after the handshake is told why, every time', { timeout: 30_000 }, async (t) => {
  const host = await listening(t);
  const codes = new Set();
  for (let n = 0; n < 300; n++) {
    const socket = new WebSocket(host.url);
    await once(socket, 'open');
    // @ts-ignore The raw socket.
    socket._socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]));
    const [code] = await once(socket, 'close');
    codes.add(code);
  }
  assert.deepStrictEqual([...codes], [1007]);
});

test('who breaks the protocol of WebSockets is cut off', { timeout: 30_000 }, async (t) => {
  const host = await listening(t);
  const faults = [
    [[0x81, 0x01, 0x41], 1002], // not masked
    [[0xc1, 0x80, 0, 0, 0, 0], 1002], // a reserved bit
    [[0x80, 0x80, 0, 0, 0, 0], 1002], // continues nothing
    [[0x81, 0x81, 0, 0, 0, 0, 0xff], 1007], // not UTF-8
    [[0x82, 0xff, 0, 0, 0, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0], 1009] // 2 GB
  ];
  for (const [bytes, expected] of faults) {
    const socket = new WebSocket(host.url);
    await once(socket, 'open');
    // @ts-ignore The raw socket.
    socket._socket.write(Buffer.from(bytes));
    const [code] = await once(socket, 'close');
    assert.strictEqual(code, expected);
  }
});
