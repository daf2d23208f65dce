'use strict';
// The graceful end.

const test = require('node:test');
const assert = require('node:assert');
const { once } = require('node:events');
const { listening, ours, pair, sever, until } = require('./support.js');

const options = { timeout: 60_000 };

test('draining waits for what is under way', options, async (t) => {
  const { a, b } = await pair(t);
  let heard = 0;
  b.subscribe('c', () => {
    heard++;
  });
  await b.ready();
  const sends = Array.from({ length: 1000 }, (_, i) => a.send('a', 'b', i));
  for (let i = 0; i < 1000; i++) a.publish('c', i);
  const drained = a.drain();
  const again = a.drain();
  const draining = { code: 'ERR_HOST_DRAINING' };
  await assert.rejects(a.send('a', 'b', 'late'), draining);
  await assert.rejects(a.create('c').request('b', 'late'), draining);
  await assert.rejects(a.broadcast('a', '**', 'late'), draining);
  await assert.rejects(a.join(b.url), draining);
  assert.strictEqual(a.publish('c', 'late'), false);
  assert.deepStrictEqual(await Promise.all([drained, again]), [a, a]);
  assert.deepStrictEqual(new Set(await Promise.all(sends)), new Set([null]));
  assert.strictEqual(heard, 1000);
  assert.deepStrictEqual(Object.keys(a.connections), []);
  assert.strictEqual(a.server, null);
  await a.listen('127.0.0.1', 0);
  await a.join(b.url);
  assert.strictEqual(await a.send('a', 'b', 'again'), null);
});

test('draining takes nobody in any more, and tells how much was not delivered', options, async (t) => {
  const { a, b } = await pair(t, {}, { reconnectDelay: 60_000 });
  const { url } = a;
  sever(b);
  await until(() => Object.keys(a.connections).length === 0);
  const sends = [1, 2, 3].map((n) => a.send('a', 'b', n, { offline: 'queue' }));
  const ends = Promise.all(
    sends.map((send) => assert.rejects(send, (err) => ['ERR_HOST_CLOSED', 'ERR_PEER_UNREACHABLE'].includes(err.code)))
  );
  const drained = a.drain({ timeout: 300 });
  await assert.rejects(new ours.Host().join(url), (err) => ['ECONNREFUSED', 'ECONNRESET'].includes(err.code));
  await assert.rejects(drained, { code: 'ERR_DRAIN_TIMEOUT', undelivered: 3, unanswered: 0 });
  await ends;
  assert.strictEqual(a.server, null);
});

test('draining a host that does nothing closes it', options, async () => {
  const host = new ours.Host();
  assert.strictEqual(await host.drain(), host);
  await assert.rejects(host.drain({ timeout: '1' }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  await assert.rejects(host.drain({ timeout: -1 }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
});

test('draining waits for replies, in both directions', options, async (t) => {
  const { a, b, peer } = await pair(t);
  /** @type {Array<() => void>} */
  const answer = [];
  const wait = () =>
    new Promise((resolve) => {
      answer.push(() => resolve('reply'));
    });
  peer.handle(wait);
  a.create('a').handle(wait);
  const [here, there] = [a.get('a').request('b', 1), peer.request('a', 2)];
  await until(() => answer.length === 2);
  let done = false;
  const drained = a.drain().then(() => {
    done = true;
  });
  assert.strictEqual(await b.send('b', 'a', 'still there'), null);
  for (const reply of answer) {
    assert.strictEqual(done, false);
    reply();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepStrictEqual(await Promise.all([here, there]), ['reply', 'reply']);
  await drained;
});

test('draining tells how many requests were not answered', options, async (t) => {
  const { a, peer } = await pair(t);
  let asked = 0;
  peer.handle(
    () =>
      new Promise(() => {
        asked++;
      })
  );
  const request = assert.rejects(a.create('a').request('b', 1), { code: 'ERR_HOST_CLOSED' });
  await until(() => asked === 1);
  await assert.rejects(a.drain({ timeout: 100 }), { code: 'ERR_DRAIN_TIMEOUT', undelivered: 0, unanswered: 1 });
  await request;
});

test(
  'draining does not resolve while a request that this host was asked is unanswered, whenever it was asked',
  options,
  async (t) => {
    const { a, b, peer } = await pair(t);
    let asked = 0;
    a.create('a').handle(
      () =>
        new Promise(() => {
          asked++;
        })
    );
    const requests = [assert.rejects(peer.request('a', 1), { code: 'ERR_DELIVERY_UNKNOWN' })];
    await until(() => asked === 1);
    const drained = a.drain({ timeout: 500 });
    requests.push(assert.rejects(peer.request('a', 2), { code: 'ERR_DELIVERY_UNKNOWN' }));
    await assert.rejects(drained, { code: 'ERR_DRAIN_TIMEOUT', undelivered: 0, unanswered: 2 });
    await Promise.all(requests);
    // What was not answered in an earlier life holds nothing up.
    await a.listen('127.0.0.1', 0);
    await b.join(a.url);
    assert.strictEqual(await a.drain(), a);
  }
);

test(
  'draining waits no longer for replies to requests of a host that has left, or was given up, meanwhile or before',
  options,
  async (t) => {
    const { a, b, peer } = await pair(t, { reconnectTimeout: 50 });
    const lost = await listening(t);
    await lost.join(a.url);
    let asked = 0;
    a.create('a').handle(
      () =>
        new Promise(() => {
          asked++;
        })
    );
    const ends = [peer, lost.create('lost')].map((peer) => assert.rejects(peer.request('a', 1)));
    await until(() => asked === 2);
    const drained = a.drain();
    await lost.close();
    sever(b);
    b.server.close();
    assert.strictEqual(await drained, a);
    await b.close();
    await Promise.all(ends);
    const gone = await listening(t);
    await a.listen('127.0.0.1', 0);
    await gone.join(a.url);
    const end = assert.rejects(gone.create('gone').request('a', 1));
    await until(() => asked === 3);
    const left = once(a, 'leave');
    await gone.close();
    await left;
    assert.strictEqual(await a.drain(), a);
    await end;
  }
);

test('draining waits for the answers to a broadcast', options, async (t) => {
  const { a } = await pair(t);
  const broadcast = a.broadcast('a', 'b', 1);
  assert.strictEqual(await a.drain(), a);
  assert.deepStrictEqual(await broadcast, { delivered: 1, failed: 0 });
});

test('draining waits for jobs whose members are on a lost host, and tells how many are left', options, async (t) => {
  const { a, b } = await pair(t, {}, { reconnectDelay: 60_000 });
  b.subscribe('jobs', () => {}, { group: 'workers' });
  await b.ready();
  sever(b);
  await until(() => Object.keys(a.connections).length === 0);
  for (let n = 0; n < 3; n++) a.publish('jobs', n);
  await assert.rejects(a.drain({ timeout: 300 }), { code: 'ERR_DRAIN_TIMEOUT', undelivered: 3, unanswered: 0 });
});

test('closing ends a drain', options, async (t) => {
  const { a, b } = await pair(t, {}, { reconnectDelay: 60_000 });
  sever(b);
  await until(() => Object.keys(a.connections).length === 0);
  const send = assert.rejects(a.send('a', 'b', 1, { offline: 'queue' }));
  const drained = a.drain();
  await a.close();
  assert.strictEqual(await drained, a);
  await send;
});

test(
  'draining takes no longer than it may, whoever does not answer, and the others hear the goodbye',
  options,
  async (t) => {
    const { spawn } = require('node:child_process');
    const path = require('node:path');
    const { a, b } = await pair(t);
    const text = `const { Host } = require(${JSON.stringify(path.join(__dirname, '..'))}); const h = new Host();
    h.create('frozen').on('message', () => {}); h.join('${a.url}')`;
    const child = spawn(process.execPath, ['-e', text], { stdio: 'inherit' });
    t.after(() => child.kill('SIGKILL'));
    await until(() => a.hosts().length === 2);
    await a.send('a', 'frozen', 1);
    const left = new Promise((resolve) => b.on('leave', resolve));
    child.kill('SIGSTOP');
    const sent = a.send('a', 'frozen', 2);
    const outcome = assert.rejects(sent, { code: 'ERR_DELIVERY_UNKNOWN' });
    const { url } = a;
    const since = performance.now();
    await assert.rejects(a.drain({ timeout: 200 }), { code: 'ERR_DRAIN_TIMEOUT', undelivered: 1, unanswered: 0 });
    const took = performance.now() - since;
    assert.ok(took < 1500, `${took} ms`);
    assert.strictEqual(await left, url);
    await outcome;
    child.kill('SIGKILL');
  }
);

test('the end does not wait for listeners without end', options, async (t) => {
  const { a, b } = await pair(t);
  let heard = 0;
  a.create('slow').on('message', () => {
    heard++;
    const until = performance.now() + 10;
    while (performance.now() < until);
  });
  const sends = Array.from({ length: 1000 }, (_, i) => b.send('b', 'slow', i).then(String, ({ code }) => code));
  await until(() => heard > 0);
  const begun = performance.now();
  await a.drain({ timeout: 100 });
  const took = performance.now() - begun;
  assert.ok(took < 5000, `${took} ms for what would take ten seconds`);
  const outcomes = new Set(await Promise.all(sends));
  assert.ok(outcomes.has('ERR_DELIVERY_UNKNOWN'), `${[...outcomes]}`);
  // What was left is not heard in another life.
  const before = heard;
  await a.listen('127.0.0.1', 0);
  await b.join(a.url);
  assert.strictEqual(await b.send('b', 'slow', 'again'), null);
  assert.strictEqual(heard, before + 1);
});
