'use strict';
// What hosts tell each other of peers and groups, when queues are full and hosts are frozen or die.

const test = require('node:test');
const assert = require('node:assert');
const processHost = require('./process_host.js');
const { listening, until } = require('./support.js');

const options = { timeout: 60_000 };
const small = { maxQueueBytes: 64 * 1024 };

/** Publishes on that channel until more waits for a host than may. */
async function fill(host, channel) {
  let full = false;
  const onDrop = (_url, dropped) => {
    full ||= dropped === channel;
  };
  host.on('drop', onDrop);
  while (!full) {
    for (let i = 0; i < 100; i++) host.publish(channel, 'x'.repeat(500));
    await new Promise((resolve) => setImmediate(resolve));
  }
  host.off('drop', onDrop);
}

const WATCH = `
  state.there = new Set();
  host.subscribe('c', () => {});
  (async () => {
    for await (const { type, id } of host.watch('p.*')) type === 'join' ? state.there.add(id) : state.there.delete(id);
  })();
  await host.ready();`;
const there = (b) => b.run('return [...state.there].sort()');

test('a watch is right after its host was frozen and too much waited for it', options, async (t) => {
  const a = await listening(t, small);
  for (let n = 0; n < 10; n++) a.create('p.old' + n);
  const b = await processHost(t, a.url);
  await b.run(WATCH);
  while ((await there(b)).length < 10);
  b.freeze();
  await fill(a, 'c');
  for (let n = 0; n < 10; n++) a.remove('p.old' + n);
  // Beyond what may be in flight, so that some of it is told as a state.
  for (let n = 0; n < 1000; n++) {
    a.create('p.brief' + n);
    await new Promise((resolve) => setImmediate(resolve));
    a.remove('p.brief' + n);
  }
  for (let n = 0; n < 10; n++) a.create('p.new' + n);
  assert.ok(a.stats().undelivered < 2000, 'what is told does not grow with history');
  b.thaw();
  const expected = Array.from({ length: 10 }, (_, n) => 'p.new' + n);
  let ids = [];
  while (ids.join() !== expected.join()) ids = await there(b);
});

test(
  'a host that was frozen knows of members that subscribed meanwhile when ready has resolved',
  options,
  async (t) => {
    const a = await listening(t, small);
    const b = await processHost(t, a.url);
    const well = await listening(t);
    await well.join(a.url);
    await b.run("host.subscribe('c', () => {}); await host.ready()");
    b.freeze();
    await fill(a, 'c');
    const got = [];
    a.subscribe('jobs', (n) => got.push(n), { group: 'workers' });
    for (let n = 0; n < 200; n++) a.subscribe('jobs' + n, () => {}, { group: 'workers' });
    let ready = false;
    const known = a.ready().then(() => {
      ready = true;
    });
    assert.strictEqual(await a.send('a', a.create('own').id, 1), null);
    // A host that is well has been told everything by the time it can give jobs to the last group, and they have come back.
    let told = false;
    const onTold = () => {
      told = true;
    };
    a.subscribe('told', onTold, { group: 'workers' });
    while (!told) {
      well.publish('told');
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.strictEqual(ready, false);
    b.thaw();
    await known;
    await b.run("for (let n = 0; n < 10; n++) host.publish('jobs', n)");
    await until(() => got.length === 10);
    assert.deepStrictEqual(got, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
);

test('ready rejects when a host does not take in time what it is told', options, async (t) => {
  const a = await listening(t, { requestTimeout: 300 });
  const b = await processHost(t, a.url);
  b.freeze();
  a.subscribe('jobs', () => {}, { group: 'workers' });
  await assert.rejects(a.ready(), { code: 'ERR_REQUEST_TIMEOUT' });
});

test('a list and a question are answered after a host was frozen and too much waited for it', options, async (t) => {
  const a = await listening(t, { maxInFlight: 256, maxQueueBytes: 64 * 1024 });
  a.create('p.a');
  const b = await processHost(t, a.url, small);
  await b.run("host.create('p.b'); host.subscribe('c', () => {}); await host.ready(); state.list = host.list('*.*');");
  b.freeze();
  await fill(a, 'c');
  const list = a.list('p.*');
  b.thaw();
  assert.deepStrictEqual((await list).sort(), ['p.a', 'p.b']);
  assert.deepStrictEqual((await b.run('return state.list')).sort(), ['p.a', 'p.b']);
});

test(
  'a list and a broadcast end when a host is lost during them, and a broadcast counts who was lost before',
  options,
  async (t) => {
    const a = await listening(t);
    const c = await listening(t);
    await c.join(a.url);
    c.create('p.c');
    const b = await processHost(t, a.url);
    await b.run("host.create('p.b')");
    b.freeze();
    const began = performance.now();
    const lost = new Promise((resolve) => a.once('disconnect', resolve));
    const list = a.list('*.*');
    const broadcast = a.broadcast('a', 'p.*', 1);
    await a.send('a', 'p.c', 1);
    b.kill();
    await lost;
    assert.deepStrictEqual(await list, ['p.c']);
    assert.deepStrictEqual(await broadcast, { delivered: 1, failed: 1 });
    assert.deepStrictEqual(await a.broadcast('a', 'p.*', 2), { delivered: 1, failed: 1 });
    assert.deepStrictEqual(await a.list('*.*'), ['p.c']);
    assert.ok(performance.now() - began < 20_000);
  }
);

test('what was asked of a host that is lost does not arrive there later', options, async (t) => {
  const a = await listening(t);
  const b = await processHost(t, a.url, { reconnectDelay: 50 });
  await b.run("state.got = []; host.create('p.b').on('message', (from, message) => state.got.push(message.n))");
  b.freeze();
  const text = 'x'.repeat(1 << 20);
  const all = Array.from({ length: 12 }, (_, n) => a.broadcast('a', 'p.*', { n, text }));
  await new Promise((resolve) => setImmediate(resolve));
  for (const connection of Object.values(a.connections)) connection.close();
  for (const { failed } of await Promise.all(all)) assert.strictEqual(failed, 1);
  const back = new Promise((resolve) => a.once('reconnect', resolve));
  b.thaw();
  await back;
  assert.deepStrictEqual(await a.broadcast('a', 'p.*', { n: 99 }), { delivered: 1, failed: 0 });
  const got = await b.run('return state.got');
  // What was in flight arrives once; what never left does not arrive at all.
  assert.ok(got.length < 12 && got.at(-1) === 99, String(got));
});

test('a peer that is removed and made anew in one turn is told as a leave and a join', options, async (t) => {
  const [a, b] = [await listening(t), await listening(t)];
  await b.join(a.url);
  a.create('p.1');
  const watch = b.watch('p.*');
  assert.deepStrictEqual((await watch.next()).value, { type: 'join', id: 'p.1' });
  const first = watch.next();
  const second = watch.next();
  a.remove('p.1');
  a.create('p.1');
  assert.deepStrictEqual((await first).value, { type: 'leave', id: 'p.1' });
  assert.deepStrictEqual((await second).value, { type: 'join', id: 'p.1' });
});

test('ids, names and groups that are long are told to a host that accepts only small messages', options, async (t) => {
  const [a, b] = [await listening(t), await listening(t, { maxPayload: 64 * 1024 })];
  await b.join(a.url);
  const watch = b.watch('**');
  const ids = Array.from({ length: 40 }, (_, n) => n + '\u0001'.repeat(2000));
  for (const id of ids) a.create(id);
  const got = new Set();
  while (got.size < ids.length) got.add((await watch.next()).value.id);
  for (let n = 0; n < 40; n++) a.subscribe(n + '\u0001'.repeat(2000), () => {}, { group: 'workers' });
  const heard = [];
  a.subscribe('jobs', (message) => heard.push(message), { group: 'workers' });
  await a.ready();
  b.publish('jobs', 1);
  await until(() => heard.length === 1);
});

test('creating a peer looks at those watches only that may match', options, async (t) => {
  const [a, b] = [await listening(t), await listening(t)];
  await b.join(a.url);
  const watches = Array.from({ length: 1000 }, (_, n) => b.watch(n % 2 === 0 ? 'peer' + n : `room${n}.*`));
  const last = b.watch('last.*');
  a.create('last.1');
  await last.next(); // so the others have arrived as well
  const cost = (host) => {
    const times = [];
    for (let round = 0; round < 5; round++) {
      const began = performance.now();
      for (let n = 0; n < 200; n++) host.remove(host.create('nobody' + n));
      times.push(performance.now() - began);
    }
    return Math.min(...times);
  };
  const watched = cost(a);
  const c = await listening(t);
  const unwatched = cost(c);
  // It was 0.5 ms each: 200 ms for these 200 pairs.
  assert.ok(watched < 100 * unwatched + 50, `${watched} ms, ${unwatched} ms without watches`);
  assert.strictEqual((await watches[0].return()).done, true);
  a.create('peer2');
  assert.deepStrictEqual((await watches[2].next()).value, { type: 'join', id: 'peer2' });
  a.create('room3.x');
  assert.deepStrictEqual((await watches[3].next()).value, { type: 'join', id: 'room3.x' });
});
