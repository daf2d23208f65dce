'use strict';
// COMPAT 13 and 29 to 33: leaving, losing and coming back.

const test = require('node:test');
const assert = require('node:assert');
const net = require('node:net');
const { once } = require('node:events');
const { both, host, listening, pair, ours, until } = require('./both.js');

const options = { timeout: 30_000 };
const connections = (it) => Object.keys(it.connections);

both('close says goodbye: the others forget addresses and connection, and no timer runs', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  one.create('p');
  await two.find('p');
  assert.strictEqual(await one.close(), one);
  assert.deepStrictEqual([connections(one), connections(two)], [[], []]);
  assert.deepEqual(two.addresses, {});
  assert.deepEqual(two.timers, {});
  await assert.rejects(Promise.resolve(two.send('s', 'p', 1)), { message: 'Peer not found (id: p)' });
});

both('after close a peer of another host is not found, as on a host that has never joined', async (t, distribus) => {
  const [one, two] = await pair(t, distribus);
  one.create('p');
  await two.send('s', 'p', 1);
  await two.close();
  await assert.rejects(Promise.resolve(two.send('s', 'p', 2)), { message: 'Peer not found (id: p)' });
  await assert.rejects(Promise.resolve(two.find('p')), { message: 'Peer not found (id: p)' });
});

both(
  'a lost connection: what was cached is unreachable, what was not is not found, find answers from the cache',
  async (t, distribus) => {
    const [one, two] = await pair(t, distribus, { reconnectDelay: 40_000, reconnectTimeout: 40_000 });
    const { url } = one;
    one.create('p');
    one.create('q');
    await two.find('p');
    one.server.close();
    await until(() => connections(two).length === 0);
    await assert.rejects(Promise.resolve(two.send('s', 'p', 1)), { message: `Peer unreachable (id: p, url: ${url})` });
    await assert.rejects(Promise.resolve(two.send('s', 'q', 1)), { message: 'Peer not found (id: q)' });
    assert.strictEqual(await two.find('p'), url);
    assert.deepStrictEqual(Object.keys(two.timers), [url]);
  }
);

both('the side that joined reconnects, the first time after reconnectDelay', async (t, distribus) => {
  const [one, two] = await pair(t, distribus, { reconnectDelay: 1000, reconnectTimeout: 40_000 });
  one.create('p').on('message', () => {});
  await two.find('p');
  const start = performance.now();
  one.connections[two.url].close();
  await until(() => connections(two).length === 0);
  await until(() => connections(two).length === 1 && connections(one).length === 1);
  const after = performance.now() - start;
  assert.ok(after > 999, `${after} ms`); // that it is not later than that is tested on virtual time
  assert.deepEqual(two.timers, {});
  assert.deepEqual(two.addresses, { p: one.url });
  await until(() =>
    two.send('s', 'p', 1).then(
      () => true,
      () => false
    )
  );
});

both('after reconnectTimeout both sides forget', async (t, distribus) => {
  const [one, two] = await pair(t, distribus, { reconnectDelay: 1500, reconnectTimeout: 1000 });
  one.create('p');
  two.create('q');
  await two.find('p');
  await one.find('q');
  one.connections[two.url].close();
  await until(() => connections(one).length === 0 && connections(two).length === 0);
  assert.deepEqual([two.addresses, one.addresses], [{ p: one.url }, { q: two.url }]);
  await until(() => Object.keys(one.addresses).length + Object.keys(two.addresses).length === 0);
  assert.deepEqual([one.timers, two.timers], [{}, {}]);
});

test('later attempts follow, and a host that comes back is found', options, async (t) => {
  const [one, two] = await pair(t, ours, { reconnectDelay: 100, reconnectTimeout: 20_000 });
  const { port } = one;
  one.create('p').on('message', () => {});
  await two.find('p');
  one.server.close();
  one.server = one.url = one.address = one.port = null;
  // Whoever has its port now hangs up.
  let attempts = 0;
  const other = net
    .createServer((socket) => {
      attempts++;
      socket.destroy();
    })
    .listen(port, '127.0.0.1');
  await once(other, 'listening');
  await until(() => attempts >= 3);
  assert.strictEqual(Object.keys(two.connections).length, 0);
  await new Promise((resolve) => other.close(resolve));
  await one.listen('127.0.0.1', port);
  await until(() => connections(two).length === 1);
  assert.strictEqual(await two.send('s', 'p', 1), null);
});

test('Fixed: close always returns a promise for the host and ends everything', options, async (t) => {
  const one = await listening(t, ours);
  const two = host(t, ours);
  assert.strictEqual(await two.close(), two);
  await two.join(one.url);
  assert.strictEqual(await two.close(), two);
  assert.deepStrictEqual([connections(one), connections(two)], [[], []]);
  const [first, second] = [one.close(), one.close()];
  assert.strictEqual(await first, one);
  assert.strictEqual(await second, one);
  assert.strictEqual(await one.close(), one);
  await one.listen('127.0.0.1', 0);
  await two.join(one.url);
  assert.strictEqual(connections(one).length, 1);
});

test('Fixed: close cancels reconnects to come, and what is under way is rejected', options, async (t) => {
  const [one, two] = await pair(t, ours, { reconnectDelay: 60_000, reconnectTimeout: 60_000 });
  one.server.close();
  await until(() => Object.keys(two.timers).length === 1);
  await two.close();
  assert.deepStrictEqual(Object.keys(two.timers), []);
  const joining = two.join('ws://127.0.0.1:9');
  const closed = two.close();
  await assert.rejects(joining, { code: /ERR_HOST_CLOSED|ECONNREFUSED/ });
  await closed;
});

test('Fixed: joining the same url right after a goodbye', options, async (t) => {
  const [one, two] = await pair(t, ours);
  one.create('p').on('message', () => {});
  for (let i = 0; i < 5; i++) {
    two.close();
    await two.join(one.url);
    assert.deepStrictEqual([connections(one).length, connections(two)], [1, [one.url]]);
    assert.strictEqual(await two.send('s', 'p', i), null);
  }
});

test('timers[url].close gives the host up', options, async (t) => {
  const [one, two] = await pair(t, ours, { reconnectDelay: 2000, reconnectTimeout: 20_000 });
  const { url } = one;
  one.create('p');
  await two.find('p');
  one.connections[two.url].close();
  await until(() => url in two.timers);
  two.timers[url].close();
  await until(() => !(url in two.timers));
  assert.deepEqual([two.addresses, connections(two)], [{}, []]);
});
