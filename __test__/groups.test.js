'use strict';
// Jobs of groups: none may vanish without a word.

const test = require('node:test');
const assert = require('node:assert');
const processHost = require('./process_host.js');
const { listening, sever, until } = require('./support.js');

const options = { timeout: 60_000 };
const group = { group: 'workers' };

/** Counts what is dropped. */
function drops(host) {
  const all = [];
  host.on('drop', (url, channel, count) => all.push({ url, channel, count }));
  return all;
}
const sum = (all) => all.reduce((n, { count }) => n + count, 0);

/** Hosts that have joined the first one. */
async function network(t, count, settings = []) {
  const hosts = [];
  for (let i = 0; i < count; i++) {
    hosts.push(await listening(t, settings[i]));
    if (i > 0) await hosts[i].join(hosts[0].url);
  }
  return hosts;
}

const COLLECT =
  "state.got = []; host.subscribe('jobs', (job) => state.got.push(job), { group: 'workers' }); await host.ready();";

test('no job vanishes when one of two workers is frozen and the publisher does not wait', options, async (t) => {
  const [a, c] = await network(t, 2, [{ maxQueueBytes: 256 * 1024 }]);
  const b = await processHost(t, a.url);
  const dropped = drops(a);
  const got = [];
  c.subscribe('jobs', (job) => got.push(job.n), group);
  c.create('c');
  await c.ready();
  await b.run(COLLECT);
  b.freeze();
  const count = 4000;
  for (let n = 0; n < count; n++) {
    a.publish('jobs', { n, text: 'x'.repeat(100) });
    if (n % 50 === 0) await a.send('a', 'c', n);
  }
  await until(() => got.length > count / 2);
  b.thaw();
  let there = [];
  while (got.length + there.length < count) there = await b.run('return state.got.map((job) => job.n)');
  assert.deepStrictEqual(dropped, []);
  assert.deepStrictEqual(
    [...got, ...there].sort((x, y) => x - y),
    Array.from({ length: count }, (_, n) => n)
  );
  assert.ok(got.length > count / 2, 'the frozen one is passed over when it takes no more');
});

test('what is too large for one member goes to another, and is reported when none takes it', options, async (t) => {
  const [a, b, c] = await network(t, 3, [{}, { maxPayload: 64 * 1024 }]);
  const dropped = drops(a);
  const got = [];
  const wrong = [];
  b.subscribe('jobs', (job) => wrong.push(job), group);
  c.subscribe('jobs', (job) => got.push(job[0]), group);
  await Promise.all([b.ready(), c.ready()]);
  for (let n = 0; n < 10; n++) a.publish('jobs', [n, 'x'.repeat(100_000)]);
  await until(() => got.length === 10);
  assert.deepStrictEqual([dropped, wrong], [[], []]);
  await c.close();
  assert.strictEqual(a.publish('jobs', ['x'.repeat(100_000)]), true);
  a.publish('jobs', ['x'.repeat(100_000)]);
  await until(() => sum(dropped) === 2);
  assert.deepStrictEqual(dropped, [{ url: b.url, channel: 'jobs', count: 2 }]);
  assert.strictEqual(a.stats().dropped, 2);
});

test('a job that nobody takes because all queues are full is reported', options, async (t) => {
  const [a] = await network(t, 1, [{ maxQueueBytes: 64 * 1024 }]);
  const b = await processHost(t, a.url);
  await b.run(COLLECT);
  const dropped = drops(a);
  b.freeze();
  const count = 2000;
  for (let n = 0; n < count; n++) {
    a.publish('jobs', n);
    if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => dropped.length > 0);
  assert.strictEqual(dropped[0].channel, 'jobs');
  b.thaw();
  let there = 0;
  while (there + sum(dropped) < count) there = await b.run('return state.got.length');
  assert.strictEqual(there + sum(dropped), count);
  assert.ok(there > 0);
});

test('a job that goes to another member carries what the object held when it was published', options, async (t) => {
  const [a, c] = await network(t, 2, [{ reconnectTimeout: 1000, heartbeatInterval: 100, heartbeatTimeout: 500 }]);
  const b = await processHost(t, a.url);
  await b.run(COLLECT);
  b.freeze();
  const job = { n: 0 };
  for (; job.n < 4; job.n++) a.publish('jobs', job);
  const bytes = Buffer.from('abc');
  a.publish('jobs', bytes);
  a.publish('jobs', new Uint8Array(bytes));
  a.publish('jobs', undefined);
  a.publish('jobs', 'long'.repeat(100));
  bytes.fill(0);
  job.n = 'changed';
  const got = [];
  a.subscribe('jobs', (message) => got.push(message), group);
  c.subscribe('jobs', (message) => got.push(message), group);
  b.kill();
  await until(() => got.length === 8);
  assert.deepStrictEqual(
    got
      .slice(0, 4)
      .map(({ n }) => n)
      .sort(),
    [0, 1, 2, 3]
  );
  assert.ok(got.some((message) => Buffer.isBuffer(message) && message.toString() === 'abc'));
  assert.ok(got.some((message) => message?.constructor === Uint8Array && message[0] === 97));
  assert.ok(got.includes(undefined));
  assert.ok(got.includes('long'.repeat(100)));
});

test(
  'jobs that are published while the host of the only member reconnects are heard, in order, as by ordinary subscribers',
  options,
  async (t) => {
    const [a, b] = await network(t, 2, [{}, { reconnectDelay: 50 }]);
    const dropped = drops(a);
    const [jobs, news] = [[], []];
    b.subscribe('c', (n) => jobs.push(n), group);
    b.subscribe('c', (n) => news.push(n));
    await b.ready();
    let n = 0;
    const back = new Promise((resolve) => a.once('reconnect', resolve));
    for (; n < 20; n++) a.publish('c', n);
    sever(b);
    a.once('disconnect', () => {
      for (let i = 0; i < 20; i++) a.publish('c', n++);
    });
    let reconnected = false;
    void back.then(() => {
      reconnected = true;
    });
    while (!reconnected) {
      a.publish('c', n++);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let i = 0; i < 20; i++) a.publish('c', n++);
    await until(() => jobs.length >= n && news.length >= n);
    assert.deepStrictEqual(
      news,
      Array.from({ length: n }, (_, i) => i)
    );
    assert.deepStrictEqual(jobs, news);
    assert.deepStrictEqual(dropped, []);
  }
);

test(
  'jobs for members on a lost host wait, within bounds, and go to others when it is gone, or are reported',
  options,
  async (t) => {
    const [a] = await network(t, 1, [{ maxQueueBytes: 64 * 1024, reconnectTimeout: 1500 }]);
    const dropped = drops(a);
    for (const rescued of [true, false]) {
      dropped.length = 0;
      const b = await processHost(t, a.url);
      await b.run(COLLECT);
      const lost = new Promise((resolve) => a.once('disconnect', resolve));
      b.kill();
      await lost;
      const got = [];
      const take = (n) => got.push(n);
      const gone = new Promise((resolve) => a.once('leave', resolve));
      for (let n = 0; n < 1000; n++) a.publish('jobs', n);
      await until(() => dropped.length > 0);
      const beyond = sum(dropped);
      assert.ok(beyond > 0 && beyond < 1000, String(beyond));
      if (rescued) a.subscribe('jobs', take, group);
      await gone;
      await until(() => got.length + sum(dropped) === 1000);
      assert.strictEqual(got.length, rescued ? 1000 - beyond : 0);
      a.unsubscribe('jobs', take, group);
    }
  }
);

test('members on connected hosts come before those on lost ones, also for what was never said', options, async (t) => {
  const [a, c] = await network(t, 2);
  const b = await processHost(t, a.url);
  await b.run(COLLECT);
  const got = [];
  b.freeze();
  // More than what may be in flight.
  const text = 'x'.repeat(1 << 20);
  for (let n = 0; n < 12; n++) a.publish('jobs', [n, text]);
  await new Promise((resolve) => setImmediate(resolve));
  c.subscribe('jobs', (job) => got.push(job[0]), group);
  await c.ready();
  b.kill();
  await until(() => got.length >= 3);
  assert.ok(
    got.every((n) => n >= 6),
    String(got)
  );
  a.publish('jobs', [99]);
  await until(() => got.includes(99));
});

test('what is published to a group while draining reaches own subscribers only', options, async (t) => {
  const [a, b] = await network(t, 2);
  const [here, there] = [[], []];
  b.subscribe('jobs', (n) => there.push(n), group);
  await b.ready();
  let answer;
  a.create('a').handle(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      })
  );
  const reply = b.create('b').request('a', 1);
  await until(() => answer !== undefined);
  const drained = a.drain();
  for (let n = 0; n < 100; n++) assert.strictEqual(a.publish('jobs', n), false);
  a.subscribe('jobs', (n) => here.push(n), group);
  assert.strictEqual(a.publish('jobs', 'here'), false);
  assert.deepStrictEqual(here, ['here']);
  answer('done');
  assert.strictEqual(await reply, 'done');
  await drained;
  assert.deepStrictEqual(there, []);
});

test('groups that come and go leave nothing behind, here and elsewhere', options, async (t) => {
  const [a, b] = await network(t, 2);
  const used = async (rounds) => {
    for (let n = 0; n < rounds; n++) {
      const group = `group ${n} ${Math.random()}`;
      const take = () => {};
      a.subscribe('jobs', take, { group });
      a.publish('jobs', n);
      a.unsubscribe('jobs', take, { group });
      if (n % 1000 === 0) await a.ready();
    }
    await a.ready();
    b.publish('jobs', 'x');
  };
  const { setFlagsFromString } = require('node:v8');
  setFlagsFromString('--expose-gc');
  const gc = require('node:vm').runInNewContext('gc');
  const measure = async () => {
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      gc();
    }
    return process.memoryUsage().heapUsed;
  };
  // A group that stays, so that forgetting is not a matter of there being none.
  a.subscribe('other', () => {}, { group: 'stays' });
  await used(5000);
  const before = await measure();
  await used(40_000);
  const grown = (await measure()) - before;
  // 75 bytes for each would be three million.
  assert.ok(grown < 1_000_000, `${grown} bytes`);
});

test('a job is not lost when its host closes before it has taken it', options, async (t) => {
  const [a, b, c] = await network(t, 3);
  const dropped = drops(a);
  const got = [];
  b.subscribe('jobs', (n) => got.push(n), group);
  c.subscribe('jobs', (n) => got.push(n), group);
  await Promise.all([b.ready(), c.ready()]);
  for (let n = 0; n < 100; n++) a.publish('jobs', n);
  await b.close();
  for (let n = 100; n < 200; n++) a.publish('jobs', n);
  await until(() => new Set(got).size === 200);
  assert.deepStrictEqual(dropped, []);
});
