'use strict';

const assert = require('node:assert');
const { test } = require('node:test');
const { Host } = require('../index.js');
const { until } = require('./support.js');

/** Hosts that are connected with each other, and closed after the test. */
async function network(t, count) {
  const hosts = [];
  for (let n = 0; n < count; n++) {
    const host = new Host();
    t.after(() => host.close());
    await host.listen('127.0.0.1', 0);
    if (n > 0) await host.join(hosts[0].url);
    hosts.push(host);
  }
  return hosts;
}

const options = { timeout: 30_000 };

test('patterns hear what matches, here and from other hosts, with the channel', options, async (t) => {
  const [one, two] = await network(t, 2);
  const got = [];
  const listener = (...args) => got.push(args);
  one.subscribe('news.*', listener);
  one.subscribe('news.**', listener);
  one.subscribe('news.x', listener);
  one.subscribe('a*', listener, { exact: true });
  await one.ready();
  for (const host of [one, two]) {
    host.publish('news.x', 1);
    host.publish('news.x.y', 2);
    host.publish('news', 3);
    host.publish('abc', 4);
    host.publish('a*', 5);
    await until(() => got.length === 6);
    assert.deepStrictEqual(got.splice(0), [[1], [1, 'news.x'], [1, 'news.x'], [2, 'news.x.y'], [3, 'news'], [5]]);
  }
  one.unsubscribe('news.*', listener);
  one.unsubscribe('a*', listener, { exact: true });
  one.publish('news.x', 6);
  one.publish('a*', 7);
  assert.deepStrictEqual(got, [[6], [6, 'news.x']]);
});

test('what is put into host.channels by hand is heard as well', options, async (t) => {
  const [one, two] = await network(t, 2);
  const got = [];
  one.channels.c = [(message) => got.push(message)];
  await one.ready();
  two.publish('c', 1);
  await until(() => got.length === 1);
  one.channels = { d: [(message) => got.push(message)] };
  await one.ready();
  two.publish('c', 2);
  two.publish('d', 3);
  await until(() => got.length === 2);
  assert.deepStrictEqual(got, [1, 3]);
});

test('one member of a group gets each message, and another one when it is gone', options, async (t) => {
  const [one, two, three] = await network(t, 3);
  const got = [];
  const on = (name) => (message) => got.push([name, message]);
  const member = on('two');
  two.subscribe('jobs', member, { group: 'workers' });
  three.subscribe('jobs', on('three'), { group: 'workers' });
  await Promise.all([two.ready(), three.ready()]);
  for (let n = 0; n < 10; n++) one.publish('jobs', n);
  await until(() => got.length === 10);
  assert.deepStrictEqual(got.map(([, n]) => n).sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.strictEqual(got.filter(([name]) => name === 'two').length, 5);
  got.length = 0;
  two.unsubscribe('jobs', member, { group: 'workers' });
  for (let n = 0; n < 4; n++) one.publish('jobs', n); // two is believed to be a member still
  await until(() => got.length === 4);
  assert.ok(got.every(([name]) => name === 'three'));
  got.length = 0;
  one.subscribe('jobs', on('one'), { group: 'workers' });
  one.publish('jobs', 9);
  assert.deepStrictEqual(got, [['one', 9]]);
});

test('a broadcast reaches who matches, and the sender when it wants', options, async (t) => {
  const hosts = await network(t, 3);
  const got = [];
  const peers = hosts.map((host, n) =>
    host.create('room.' + n).on('message', (from, message) => got.push([n, from, message]))
  );
  hosts[1].create('other').on('message', () => {
    throw new Error('of the test');
  });
  hosts[1].on('error', () => {});
  assert.deepStrictEqual(await peers[0].broadcast('room.*', 'a'), { delivered: 2, failed: 0 });
  assert.deepStrictEqual(got.splice(0).sort(), [
    [1, 'room.0', 'a'],
    [2, 'room.0', 'a']
  ]);
  assert.deepStrictEqual(await hosts[0].broadcast('room.0', 'room.*', 'b', { self: true }), {
    delivered: 3,
    failed: 0
  });
  assert.strictEqual(got.splice(0).length, 3);
  assert.deepStrictEqual(await peers[2].broadcast('c'), { delivered: 2, failed: 1 });
  await assert.rejects(peers[0].broadcast('*', 1n), { code: 'ERR_MESSAGE_NOT_SERIALIZABLE' });
  await assert.rejects(peers[0].broadcast(7, 'x'), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.deepStrictEqual((await hosts[2].list('room.*')).sort(), ['room.0', 'room.1', 'room.2']);
});

test('a watch tells who is there, comes and goes, also with its host', options, async (t) => {
  const [one, two, three] = await network(t, 3);
  one.create('a.1');
  two.create('a.2');
  three.create('a.3');
  three.create('b');
  const controller = new AbortController();
  const watch = one.watch('a.*', { signal: controller.signal });
  const next = async () => Object.values((await watch.next()).value).join(' ');
  assert.deepStrictEqual([await next(), await next(), await next()].sort(), ['join a.1', 'join a.2', 'join a.3']);
  two.create('a.4');
  assert.strictEqual(await next(), 'join a.4');
  two.remove('a.2');
  assert.strictEqual(await next(), 'leave a.2');
  await three.close();
  assert.strictEqual(await next(), 'leave a.3');
  controller.abort();
  await assert.rejects(watch.next(), { name: 'AbortError', code: 'ABORT_ERR' });
  assert.deepStrictEqual(await watch.next(), { value: undefined, done: true });
  assert.throws(() => one.watch('*', { signal: controller.signal }), { code: 'ABORT_ERR' });
});

test('bad options are refused', () => {
  const host = new Host();
  for (const bad of [{ exact: 1 }, { group: 7 }, { group: '' }, 'x'])
    assert.throws(() => host.subscribe('c', () => {}, bad), TypeError);
  assert.throws(() => host.watch(7), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.deepStrictEqual(Object.keys(host.channels), []);
});

test(
  'plain and exact subscribers come before those of patterns, and these in the order of their patterns',
  options,
  () => {
    const host = new Host();
    const heard = [];
    const subscribe = (name, exact = false) =>
      host.subscribe(name, () => heard.push(name), exact ? { exact } : undefined);
    for (const name of ['**', 'a.*', 'a.x', '**', 'a**x', 'a.*', 'a.x']) subscribe(name);
    subscribe('l*', true);
    const publish = (channel) => {
      host.publish(channel, 1);
      return heard.splice(0);
    };
    assert.deepStrictEqual(publish('a.x'), ['a.x', 'a.x', '**', '**', 'a.*', 'a.*']);
    assert.deepStrictEqual(publish('a--x'), ['**', '**', 'a**x'], 'two stars in a segment are one');
    assert.deepStrictEqual(publish('ax'), ['**', '**', 'a**x']);
    assert.deepStrictEqual(publish('l*'), ['l*', '**', '**']);
    assert.deepStrictEqual(publish('lx'), ['**', '**']);
    assert.deepStrictEqual(Object.keys(host.channels), ['**', 'a.*', 'a.x', 'a**x']);
  }
);
