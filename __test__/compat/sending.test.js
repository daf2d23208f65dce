'use strict';
// COMPAT 23 to 28: finding, sending and publishing across hosts.

const test = require('node:test');
const assert = require('node:assert');
const { once } = require('node:events');
const WebSocket = require('ws');
const { both, listening, pair, ours, until } = require('./both.js');

const options = { timeout: 60_000 };

both('find asks the others and caches the answer', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  one.create('p');
  assert.strictEqual(await two.find('p'), one.url);
  assert.deepEqual(two.addresses, { p: one.url });
  one.remove('p');
  assert.strictEqual(await two.find('p'), one.url);
  await assert.rejects(Promise.resolve(two.find('q')), { message: 'Peer not found (id: q)' });
  assert.deepEqual(two.addresses, { p: one.url });
});

both('the receiver sees the JSON round trip', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  let nested = 1;
  for (let i = 0; i < 1000; i++) nested = i % 2 ? [nested] : { nested };
  const values = [
    undefined,
    null,
    NaN,
    Infinity,
    -0,
    1e21,
    5e-324,
    '',
    '\u0000\u2028',
    '\ud800 lone',
    '\udc00\ud800',
    '😀é',
    [undefined, () => {}],
    { u: undefined, d: new Date(0), z: 1, a: 2, 10: 1, 9: 2, toJSON: undefined },
    { toJSON: () => 'from toJSON' },
    nested,
    [[], {}],
    JSON.parse('{"__proto__":{"x":1},"constructor":2}'),
    'x'.repeat(3_000_000)
  ];
  let heard;
  one.create('p').on('message', (from, message) => {
    heard = [from, message];
  });
  for (const value of values) {
    heard = null;
    assert.strictEqual(await two.send('s', 'p', value), null);
    const expected = value === undefined ? undefined : JSON.parse(JSON.stringify(value));
    assert.strictEqual(heard[0], 's');
    assert.deepStrictEqual(heard[1], expected);
    assert.strictEqual(JSON.stringify(heard[1]), JSON.stringify(expected)); // the order of members, too
  }
  const news = [];
  one.subscribe('c', (message) => news.push(message));
  await one.ready?.();
  for (const value of values) two.publish('c', value);
  await until(() => news.length === values.length);
  assert.deepStrictEqual(
    news,
    values.map((value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value))))
  );
});

both('from may be anything, and a message is stringified when it is sent', async (t, distribus, kind) => {
  const [one, two] = await pair(t, distribus);
  const got = [];
  one.create('p').on('message', (from, message) => got.push([from, message.n]));
  await two.find('p');
  const message = { n: 1 };
  const first = two.send(undefined, 'p', message);
  if (kind === 'ours') message.n = 2; // Fixed: the original does that a tick later
  await first;
  await two.send({ an: 'object' }, 'p', { n: 3 });
  assert.deepStrictEqual(got, [
    [undefined, 1],
    [{ an: 'object' }, 3]
  ]);
});

both(
  'a remote listener that throws: later ones are skipped, the send resolves undefined',
  async (t, distribus, kind) => {
    const [one, two] = await pair(t, distribus);
    const warnings = [];
    const warn = (warning) => warnings.push(warning);
    process.on('warning', warn);
    t.after(() => process.removeListener('warning', warn));
    let thrown;
    const peer = one.create('p');
    peer.on('message', () => {
      throw thrown;
    });
    peer.on('message', () => assert.fail('called'));
    for (thrown of [new Error('mine'), 'a text', 7, { toString: () => 'odd' }, new Error('')]) {
      assert.strictEqual(await two.send('s', 'p', 1), undefined);
    }
    thrown = new Error('Peer not found, says the listener');
    const failed = await two.send('s', 'p', 1).catch((err) => err);
    if (kind === 'ours') {
      assert.deepStrictEqual([failed.message, failed.code], ['Peer not found (id: p)', 'ERR_LISTENER']);
      await until(() =>
        warnings.some(
          (warning) => warning.code === 'ERR_LISTENER_THREW' && /A listener of peer p threw: mine/.test(warning.message)
        )
      );
    }
  }
);

both('what a listener throws is in the answer on the wire', async (t, distribus) => {
  const one = await listening(t, distribus);
  const socket = new WebSocket(one.url);
  t.after(() => socket.terminate());
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const ask = (params) =>
    new Promise((resolve) => {
      socket.once('message', (data) => resolve(JSON.parse(String(data))));
      socket.send(JSON.stringify({ id: 1, message: { method: 'send', params } }));
    });
  let thrown;
  one.create('p').on('message', () => {
    throw thrown;
  });
  for (const [value, text] of [
    [new Error('mine'), 'mine'],
    ['a text', 'a text'],
    [new TypeError('Peer not found'), 'Peer not found']
  ]) {
    thrown = value;
    assert.deepStrictEqual(await ask({ from: 'a', to: 'p', message: 1 }), { id: 1, message: null, error: text });
  }
});

test('Fixed: a peer that was removed after being cached is looked up again', options, async (t) => {
  const [one, two] = await pair(t, ours);
  const three = await listening(t, ours);
  await three.join(one.url);
  one.create('p');
  await two.send('s', 'p', 1);
  one.remove('p');
  await assert.rejects(two.send('s', 'p', 2), { message: 'Peer not found (id: p)', code: 'ERR_PEER_NOT_FOUND' });
  assert.deepEqual(two.addresses, {});
  one.create('p');
  await two.send('s', 'p', 3);
  one.remove('p');
  const got = [];
  three.create('p').on('message', (from, message) => got.push(message));
  const sends = [4, 5, 6, 7].map((n) => two.send('s', 'p', n));
  await Promise.all(sends);
  assert.deepStrictEqual(got, [4, 5, 6, 7]);
  assert.deepEqual(two.addresses, { p: three.url });
});

test('Fixed: a message that JSON cannot carry is rejected at once, and nothing else is', options, async (t) => {
  const [one, two] = await pair(t, ours);
  const got = [];
  one.create('p').on('message', (from, message) => got.push(message));
  one.subscribe('c', (message) => got.push(message));
  await two.find('p');
  const circular = {};
  circular.self = circular;
  const thrower = {
    toJSON() {
      throw new RangeError('mine');
    }
  };
  const warned = new Promise((resolve) => process.once('warning', resolve));
  const outcomes = [
    two.send('s', 'p', 1),
    two.send('s', 'p', circular),
    two.send('s', 'p', 10n),
    two.send('s', 'p', thrower),
    two.send('s', 'p', 2)
  ];
  two.publish('c', circular);
  two.publish('c', 3);
  const codes = (await Promise.allSettled(outcomes)).map((outcome) => outcome.reason?.code);
  const bad = 'ERR_MESSAGE_NOT_SERIALIZABLE';
  assert.deepStrictEqual(codes, [undefined, bad, bad, bad, undefined]);
  assert.strictEqual((await two.send('s', 'p', thrower).catch((err) => err)).cause.message, 'mine');
  await until(() => got.length === 3);
  assert.deepStrictEqual(got, [1, 2, 3]);
  assert.match((await warned).message, /JSON cannot carry/);
});

test('Fixed: send, then publish arrive in that order', options, async (t) => {
  const [one, two] = await pair(t, ours);
  const got = [];
  one.create('p').on('message', (from, message) => got.push(message));
  one.subscribe('c', (message) => got.push(message));
  await two.find('p');
  for (let i = 0; i < 100; i += 2) {
    two.send('s', 'p', i);
    two.publish('c', i + 1);
  }
  await until(() => got.length === 100);
  assert.deepStrictEqual(
    got,
    Array.from({ length: 100 }, (_, i) => i)
  );
});

test(
  'Fixed: a find settles when a connection ends meanwhile, a send when its answer will not come',
  options,
  async (t) => {
    const one = await listening(t, ours, { requestTimeout: 1500 });
    const mute = new WebSocket.Server({ port: 0, host: '127.0.0.1' });
    t.after(() => {
      mute.close();
      for (const socket of mute.clients) socket.terminate();
    });
    let forget = () => {};
    mute.on('connection', (socket) =>
      socket.on('message', (data) => {
        const { id, message } = JSON.parse(String(data));
        const answer = (value) => socket.send(JSON.stringify({ id, message: value, error: null }));
        if (message.method === 'greeting') answer({});
        else if (message.method === 'hosts') answer([]);
        else if (message.method === 'goodbye') answer('goodbye');
        else if (message.method === 'find' && message.params.id === 'there') answer(url);
        else forget(socket, message);
      })
    );
    await once(mute, 'listening');
    const url = `ws://127.0.0.1:${mute.address().port}`;
    await one.join(url);
    await assert.rejects(one.send('s', 'there', 1), { code: 'ERR_REQUEST_TIMEOUT', message: 'Timeout' });
    await assert.rejects(one.find('nobody'), { code: 'ERR_PEER_NOT_FOUND' });
    one.config({ requestTimeout: 50_000 });
    forget = (socket) => socket.terminate();
    await assert.rejects(one.find('nobody'), { message: 'Peer not found (id: nobody)' });
    await until(() => Object.keys(one.connections).length === 0);
    await assert.rejects(one.send('s', 'there', 1), {
      code: 'ERR_PEER_UNREACHABLE',
      message: `Peer unreachable (id: there, url: ${url})`
    });
    await one.join(url);
    await assert.rejects(one.send('s', 'there', 1), { code: 'ERR_DELIVERY_UNKNOWN' });
  }
);

test('deep and large messages', options, async (t) => {
  const [one, two] = await pair(t, ours);
  const got = [];
  one.create('p').on('message', (from, message) => got.push(message));
  assert.strictEqual(await two.send('s', 'p', 'é'.repeat(8_500_000)), null);
  assert.strictEqual(got[0].length, 8_500_000);
  let deep = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  await two.send('s', 'p', deep).catch((err) => assert.strictEqual(err.code, 'ERR_MESSAGE_NOT_SERIALIZABLE')); // as deep as JSON.stringify goes
  assert.strictEqual(await two.send('s', 'p', 'after'), null);
  assert.strictEqual(got.at(-1), 'after');
});
