'use strict';
// Our own hosts with each other, in one process.

const test = require('node:test');
const assert = require('node:assert');
const net = require('node:net');
const { once } = require('node:events');
const { ours: distribus, freePort, listening, next, until } = require('./support.js');

const options = { timeout: 30_000 };

async function pair(t) {
  const [one, two] = [await listening(t), await listening(t)];
  await two.join(one.url);
  return [one, two];
}

test('a joined host stands in connections on both sides, and is gone after close', options, async (t) => {
  const [one, two] = await pair(t);
  assert.deepStrictEqual(Object.keys(one.connections), [two.url]);
  assert.deepStrictEqual(Object.keys(two.connections), [one.url]);
  assert.strictEqual(await two.close(), two);
  assert.deepStrictEqual(Object.keys(one.connections), []);
  assert.deepStrictEqual([two.url, two.address, two.port, two.server], [null, null, null, null]);
  assert.deepStrictEqual(Object.keys(one.timers), []);
});

test('a host that joins one joins all', options, async (t) => {
  const hosts = [];
  for (let i = 0; i < 5; i++) {
    const host = await listening(t);
    if (i > 0) await host.join(hosts[0].url);
    hosts.push(host);
  }
  for (const host of hosts) assert.strictEqual(Object.keys(host.connections).length, 4);
});

test('a message crosses as JSON does, and is acknowledged after the listeners', options, async (t) => {
  const [one, two] = await pair(t);
  const receiver = one.create('r');
  const values = [
    undefined,
    null,
    NaN,
    { u: undefined, d: new Date(0) },
    '\u0000',
    '\ud800',
    '😀',
    [1, 'a'],
    'x'.repeat(300_000),
    1e308
  ];
  for (const value of values) {
    let heard;
    receiver.once('message', (from, message) => {
      heard = { from, message };
    });
    assert.strictEqual(await two.send(7, 'r', value), null);
    const expected = value === undefined ? undefined : JSON.parse(JSON.stringify(value));
    assert.deepStrictEqual(heard, { from: 7, message: expected });
  }
});

test('20,000 pipelined sends and publishes arrive in order', options, async (t) => {
  const [one, two] = await pair(t);
  const got = [];
  one.create('r').on('message', (from, i) => got.push(i));
  one.subscribe('c', (i) => got.push(i));
  await two.find('r');
  const sends = [];
  for (let i = 0; i < 20_000; i++) {
    if (i % 10 === 9) two.publish('c', i);
    else sends.push(two.send('s', 'r', i));
  }
  await Promise.all(sends);
  await until(() => got.length === 20_000);
  assert.ok(got.every((value, i) => value === i));
});

test('a remote listener that throws has received the message', options, async (t) => {
  const [one, two] = await pair(t);
  const warned = new Promise((resolve) => process.once('warning', resolve));
  one.create('r').on('message', () => {
    throw new Error('mine');
  });
  assert.strictEqual(await two.send('s', 'r', 1), undefined);
  assert.match((await warned).message, /mine/);
});

test('who is missing, gone or created anew', options, async (t) => {
  const [one, two] = await pair(t);
  await assert.rejects(two.send('s', 'x', 1), { message: 'Peer not found (id: x)', code: 'ERR_PEER_NOT_FOUND' });
  const first = one.create('x');
  assert.strictEqual(await two.find('x'), one.url);
  assert.strictEqual(two.addresses.x, one.url);
  one.remove(first);
  await assert.rejects(two.send('s', 'x', 1), { code: 'ERR_PEER_NOT_FOUND' });
  const heard = next(one.create('x'));
  await two.send('s', 'x', 2);
  assert.deepStrictEqual(await heard, { from: 's', message: 2 });
  assert.deepStrictEqual((await two.list()).sort(), ['x']);
});

test('a message that JSON cannot carry rejects its own send only', options, async (t) => {
  const [one, two] = await pair(t);
  one.create('r');
  const circular = {};
  circular.self = circular;
  const results = await Promise.allSettled([
    two.send('s', 'r', 1),
    two.send('s', 'r', circular),
    two.send('s', 'r', 1n),
    two.send('s', 'r', 2)
  ]);
  assert.deepStrictEqual(
    results.map((r) => r.reason?.code),
    [undefined, 'ERR_MESSAGE_NOT_SERIALIZABLE', 'ERR_MESSAGE_NOT_SERIALIZABLE', undefined]
  );
});

test('a host that does not listen can be found and reached', options, async (t) => {
  const one = await listening(t);
  const two = new distribus.Host();
  t.after(() => two.close());
  await two.join(one.url);
  const heard = next(two.create('r'));
  assert.strictEqual(await one.find('r'), null);
  await one.send('s', 'r', 1);
  assert.deepStrictEqual(await heard, { from: 's', message: 1 });
});

test('network ids', options, async (t) => {
  const foo = await listening(t, { networkId: 'foo' });
  const bar = await listening(t, { networkId: 'bar' });
  const none = await listening(t);
  await assert.rejects(foo.join(bar.url), { code: 'ERR_NETWORK_ID_MISMATCH', message: /^Network id mismatch \(/ });
  await assert.rejects(foo.join(none.url), { code: 'ERR_NETWORK_ID_MISMATCH' });
  await none.join(foo.url);
  assert.strictEqual(none.networkId, 'foo');
  assert.throws(() => none.config({ networkId: 'other' }), { code: 'ERR_NETWORK_ID_SET' });
  assert.strictEqual(none.networkId, 'foo');
});

test('listening: port 0, a taken port, twice, again after close', options, async (t) => {
  const one = await listening(t);
  assert.ok(one.port > 0);
  assert.strictEqual(one.url, `ws://127.0.0.1:${one.port}`);
  await assert.rejects(one.listen('127.0.0.1', 0), { message: 'Server already listening' });
  const two = new distribus.Host();
  t.after(() => two.close());
  await assert.rejects(two.listen('127.0.0.1', one.port), (err) => {
    assert.strictEqual(err.toString(), 'Error: listen EADDRINUSE');
    assert.deepStrictEqual([err.code, err.syscall, err.port], ['EADDRINUSE', 'listen', one.port]);
    return true;
  });
  const { port } = one;
  await one.close();
  await two.listen('127.0.0.1', port);
  await two.close();
  await two.listen('127.0.0.1', 0);
});

test('joining what cannot be joined fails in bounded time', options, async (t) => {
  const host = new distribus.Host({ requestTimeout: 500 });
  const silent = net.createServer((socket) => t.after(() => socket.destroy())).listen(0, '127.0.0.1');
  const rude = net.createServer((socket) => socket.end('go away\r\n\r\n')).listen(0, '127.0.0.1');
  t.after(() => {
    silent.close();
    rude.close();
  });
  await Promise.all([once(silent, 'listening'), once(rude, 'listening')]);
  const port = await freePort();
  await assert.rejects(host.join(`ws://127.0.0.1:${port}`), (err) => {
    assert.strictEqual(err.toString(), 'Error: connect ECONNREFUSED');
    assert.deepStrictEqual(
      [err.code, err.syscall, err.address, err.port],
      ['ECONNREFUSED', 'connect', '127.0.0.1', port]
    );
    return true;
  });
  for (const server of [silent, rude])
    await assert.rejects(host.join(`ws://127.0.0.1:${server.address().port}`), Error);
  await assert.rejects(host.join('wss://127.0.0.1:1'), /wss/);
  await assert.rejects(host.join('nonsense'), Error);
  assert.deepStrictEqual(Object.keys(host.connections), []);
});

test('a lost connection is made again by the side that joined', options, async (t) => {
  const one = await listening(t);
  const two = await listening(t, { reconnectDelay: 20 });
  await two.join(one.url);
  const heard = next(one.create('r'));
  await two.find('r');
  const back = new Promise((resolve) => two.once('reconnect', () => resolve(undefined)));
  one.connections[two.url].close();
  await back;
  await two.send('s', 'r', 1);
  await heard;
});

test('server.close cuts everybody off; what was cached is unreachable', options, async (t) => {
  const [one, two] = await pair(t);
  one.create('r');
  await two.send('s', 'r', 1);
  one.server.close();
  await until(() => Object.keys(two.connections).length === 0);
  await assert.rejects(two.send('s', 'r', 1), {
    code: 'ERR_PEER_UNREACHABLE',
    message: /^Peer unreachable \(id: r, url: ws:/
  });
  assert.strictEqual(await two.find('r').catch((err) => err.code), one.url ?? two.addresses.r);
});

test('what is published while a lost host is being dialled arrives', options, async (t) => {
  const host = await listening(t);
  const heard = [];
  host.subscribe('news', (message) => heard.push(message));
  // Between the two; when it is told to wait, it accepts and leaves it at that.
  const sockets = new Set();
  const held = [];
  let wait = false;
  const forward = (socket) => {
    const behind = net.connect(host.port, '127.0.0.1');
    for (const [one, two] of [
      [socket, behind],
      [behind, socket]
    ]) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => two.destroy());
      one.pipe(two);
    }
  };
  const between = net.createServer((socket) => {
    if (wait) held.push(socket);
    else forward(socket);
  });
  await new Promise((resolve) => between.listen(0, '127.0.0.1', () => resolve()));
  t.after(() => {
    between.close();
    for (const socket of sockets) socket.destroy();
  });
  const other = new distribus.Host({ reconnectDelay: 50 });
  t.after(() => other.close());
  await other.join(`ws://127.0.0.1:${between.address().port}`);
  wait = true;
  for (const socket of sockets) socket.destroy();
  await until(() => held.length > 0);
  await until(() => Object.keys(other.timers).length === 0);
  other.publish('news', 1);
  wait = false;
  forward(held[0]);
  await until(() => heard.length > 0);
  assert.deepStrictEqual(heard, [1]);
});

test('a host that has joined is joined by another name: nothing is lost', options, async (t) => {
  const [a, b] = [await listening(t), new distribus.Host()];
  t.after(() => b.close());
  await b.listen('localhost', 0);
  for (const host of [a, b]) host.on('disconnect', () => assert.fail('a connection is lost'));
  await b.join(a.url);
  const got = [];
  a.create('a').on('message', (from, message) => got.push(message));
  const sent = [b.send('b', 'a', 1)];
  const joined = a.join('127.0.0.1', b.port);
  sent.push(b.send('b', 'a', 2));
  await joined;
  sent.push(b.send('b', 'a', 3));
  await Promise.all(sent);
  assert.deepStrictEqual(got, [1, 2, 3]);
  assert.deepStrictEqual([Object.keys(a.connections), Object.keys(b.connections)], [[b.url], [a.url]]);
});
