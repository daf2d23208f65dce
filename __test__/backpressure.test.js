'use strict';
// A receiver that takes nothing, because its process is stopped, among others that do.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { WebSocket } = require('ws');
const { listening, until, freePort } = require('./support.js');

const options = { timeout: 90_000, skip: process.platform === 'win32' };
const MIB = 2 ** 20;

/** A host in a process of its own with a peer and a subscription. It tells by a peer of the other host what it has received. */
async function receiver(t, url, name, distribus = path.join(__dirname, '..'), port = 0) {
  const text = `
    const { Host } = require(${JSON.stringify(distribus)});
    const host = new Host();
    let heard = 0, received = 0, gaps = 0, last = -1, disorder = false;
    host.create(${JSON.stringify(name)}).on('message', () => { received++; });
    host.create(${JSON.stringify(`ask ${name}`)}).on('message', (from) => {
      host.send('x', from, { heard, received, gaps, disorder });
    });
    host.subscribe('c', ({ n }) => { heard++; disorder ||= n <= last; last = n; });
    host.on?.('gap', (url, count) => { gaps += count; });
    host.listen('127.0.0.1', ${port}).then(() => host.join(${JSON.stringify(url)})).then(() => host.ready?.()).then(() => console.log('ready'))`;
  const child = spawn(process.execPath, ['-e', text], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

/** What a receiver has received. */
async function ask(host, name) {
  const peer = host.get('asker') ?? host.create('asker');
  const answer = new Promise((resolve) => peer.once('message', (from, message) => resolve(message)));
  await peer.send(`ask ${name}`, null);
  return answer;
}

for (const kind of ['ours', 'original']) {
  test(`a stopped process (${kind}) slows nobody, and nothing is lost silently`, options, async (t) => {
    const host = await listening(t, { maxQueueBytes: 4 * MIB, requestTimeout: 60_000 });
    const distribus = kind === 'ours' ? undefined : path.dirname(require.resolve('distribus-original/package.json'));
    const frozen = await receiver(t, host.url, 'frozen', distribus, kind === 'ours' ? 0 : await freePort());
    await receiver(t, host.url, 'healthy');
    await ask(host, 'healthy');
    await ask(host, 'frozen');
    await host.send('a', 'frozen', 'first');

    let dropped = 0;
    const urls = new Set();
    host.on('drop', (url, channel, count) => {
      assert.strictEqual(channel, 'c');
      urls.add(url);
      dropped += count;
    });
    const slow = [];
    host.on('slow', (url) => {
      slow.push(url);
    });
    let drains = 0;
    host.on('drain', () => {
      drains++;
    });
    frozen.kill('SIGSTOP');
    global.gc?.();
    const before = process.memoryUsage().rss;
    const text = 'x'.repeat(1000);
    const codes = new Map();
    const sends = [];
    let published = 0;
    let falses = 0;
    let healthy = 0;
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 200; i++) {
        if (!host.publish('c', { n: published++, text })) falses++;
        sends.push(
          host
            .send('a', 'frozen', text)
            .then(
              () => 'delivered',
              (err) => err.code
            )
            .then((code) => codes.set(code, (codes.get(code) ?? 0) + 1))
        );
      }
      await host.send('a', 'healthy', text);
      healthy++;
    }
    // Twenty-four megabytes were sent there.
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 200 * MIB, `memory has grown by ${Math.round(grown / MIB)} MiB`);
    assert.strictEqual(healthy, 60);
    assert.ok(falses > 0 && dropped > 0 && urls.size === 1, `${falses} ${dropped}`);
    assert.deepStrictEqual([...codes.keys()], ['ERR_OVERLOADED']);
    const queued = Object.entries(host.stats().links).find(([key]) => urls.has(key))[1].queuedBytes;
    assert.ok(queued <= 9 * MIB, `${queued} bytes wait`);
    const other = await ask(host, 'healthy');
    assert.deepStrictEqual(other, { heard: published, received: 60, gaps: 0, disorder: false });

    frozen.kill('SIGCONT');
    await Promise.all(sends);
    await until(() => drains > 0);
    assert.deepStrictEqual(new Set(slow), urls);
    const refused = codes.get('ERR_OVERLOADED');
    assert.ok(refused > 0 && refused < published);
    assert.deepStrictEqual(Object.fromEntries(codes), { delivered: published - refused, ERR_OVERLOADED: refused });
    host.publish('c', { n: published++ });
    let result;
    do result = await ask(host, 'frozen');
    while (result.heard + dropped < published);
    assert.strictEqual(result.heard, published - dropped);
    assert.strictEqual(result.received, 1 + published - 1 - refused);
    assert.strictEqual(result.disorder, false);
    if (kind === 'ours') assert.strictEqual(result.gaps, dropped);
    assert.strictEqual(host.publish('c', { n: published }), true);
    await until(() => host.stats().undelivered === 0);
    assert.strictEqual(host.stats().dropped, dropped);
  });
}

/** Limits, the text that is published (or numbers, where it is short), and how the receiver subscribes. */
const LIMITED = [
  ...[1, 2, 3, 4, 7, 10, 100, 200, 256, 400, 1000].map((maxInFlight) => [{ maxInFlight }, 'short']),
  ...[1, 2, 3, 10, 100].map((maxInFlight) => [{ maxInFlight }, 'short', { group: 'g' }]),
  ...[10, 199, 1000, 5000, 15_000].map((length) => [{ maxQueueBytes: 65_536 }, 'x'.repeat(length)]),
  ...['\u4e2d', '\u0001', '\ud800'].flatMap((character) =>
    [150, 1000].map((length) => [{ maxQueueBytes: 65_536 }, character.repeat(length)])
  ),
  [{ maxQueueBytes: 65_536 }, Buffer.alloc(1000)],
  [{ maxQueueBytes: 2 ** 20 }, 'x'.repeat(1000)],
  [{ maxQueueBytes: 65_536, maxInFlight: 20 }, 'x'.repeat(1000), { group: 'g' }]
];

test(
  'whoever waits for drain when publish returns false loses nothing, whatever the limits',
  { timeout: 90_000 },
  async (t) => {
    const count = 2000;
    for (const [limits, text, how] of LIMITED) {
      const source = await listening(t, limits);
      const sink = await listening(t);
      await sink.join(source.url);
      const heard = [];
      // By turns on two channels: then there are no runs, and each message takes the most.
      const channels = 2;
      for (let c = 0; c < channels; c++) sink.subscribe(`n${c}`, () => heard.push(c), how);
      sink.subscribe('number', (n) => heard.push(n), how);
      await sink.ready();
      let dropped = 0;
      source.on('drop', (url, channel, n) => {
        dropped += n;
      });
      let falses = 0;
      const publish = async (channel, message) => {
        if (source.publish(channel, message)) return;
        falses++;
        await once(source, 'drain');
      };
      const expected = [];
      for (let i = 0; i < count; i++) {
        if (text === 'short') await publish('number', i);
        else await publish(`n${i % channels}`, text);
        expected.push(text === 'short' ? i : i % channels);
      }
      await until(() => heard.length + dropped >= count);
      const row = `${JSON.stringify(limits)} ${text.length} of ${text[0]} ${how?.group}`;
      assert.strictEqual(dropped, 0, row);
      assert.deepStrictEqual(heard, expected, row);
      if (limits.maxInFlight < 100) assert.ok(falses > 0, row);
      await sink.close();
      await source.close();
    }
  }
);

test('the same with a 0.4.0 receiver', options, async (t) => {
  const original = path.dirname(require.resolve('distribus-original/package.json'));
  for (const text of ['x'.repeat(5000), '\u4e2d'.repeat(1000), '\u0001'.repeat(300)]) {
    const host = await listening(t, { maxQueueBytes: 65_536 });
    const child = await receiver(t, host.url, 'old', original, await freePort());
    let dropped = 0;
    host.on('drop', (url, channel, count) => {
      dropped += count;
    });
    const count = 3000;
    child.kill('SIGSTOP');
    for (let n = 0; n < count; n++) {
      if (host.publish('c', { n, text })) continue;
      child.kill('SIGCONT');
      await once(host, 'drain');
    }
    child.kill('SIGCONT');
    let result;
    do result = await ask(host, 'old');
    while (result.heard + dropped < count);
    assert.deepStrictEqual([dropped, result.heard, result.disorder], [0, count, false]);
    child.kill('SIGKILL');
    await host.close();
  }
});

test('publish knows of what listeners have sent before', options, async (t) => {
  const host = await listening(t, { maxInFlight: 100 });
  const frozen = await receiver(t, host.url, 'frozen');
  await ask(host, 'frozen');
  await host.send('a', 'frozen', 'first');
  const other = await listening(t);
  await other.join(host.url);
  let dropped = 0;
  host.on('drop', (url, channel, count) => {
    dropped += count;
  });
  const refused = [];
  let published = 0;
  const peer = host.create('here');
  peer.on('message', (from, message) => {
    if (message === 'send') peer.send('frozen', 1).catch((err) => refused.push(err.code));
    else while (published < 1000 && host.publish('c', { n: published++ }));
  });
  frozen.kill('SIGSTOP');
  // It takes some until it stands still.
  const waiting = () => Math.max(...Object.values(host.stats().links).map((link) => link.queuedMessages));
  while (waiting() < 90) await other.send('other', 'here', 'send');
  await other.send('other', 'here', 'publish');
  frozen.kill('SIGCONT');
  let result;
  do result = await ask(host, 'frozen');
  while (result.heard + dropped < published);
  assert.deepStrictEqual([dropped, refused], [0, []]);
  assert.ok(published < 10, `${published} were published`);
});

test('a program that takes nothing is sent no more than it has room for', options, async (t) => {
  // The receiver is busy: its sockets are read by another thread, until enough waits for it.
  const text = `
    const { Host } = require(${JSON.stringify(path.join(__dirname, '..'))});
    const host = new Host();
    let received = 0;
    host.create('busy').on('message', () => { received++; });
    host.listen('127.0.0.1', 0).then(() => {
      console.log(host.url);
      process.stdin.once('data', () => {
        const before = process.memoryUsage().rss;
        const end = Date.now() + 3000;
        let most = 0;
        while (Date.now() < end) most = Math.max(most, process.memoryUsage().rss);
        console.log(most - before);
      });
    });`;
  const env = { ...process.env, DISTRIBUS_IO: 'portable' };
  const child = spawn(process.execPath, ['-e', text], { stdio: ['pipe', 'pipe', 'inherit'], env });
  const [url] = await once(child.stdout, 'data');
  const socket = new WebSocket(String(url).trim());
  t.after(() => {
    socket.terminate();
    child.kill('SIGKILL');
  });
  await once(socket, 'open');
  // Who has not greeted may say little.
  socket.send(JSON.stringify({ id: 0, message: { method: 'greeting', params: {} } }));
  await once(socket, 'message');
  child.stdin.write('go\n');
  const message = 'x'.repeat(100_000);
  let answers = 0;
  socket.on('message', () => {
    answers++;
  });
  for (let id = 1; id <= 900; id++) {
    // 90 MB, in the original's protocol
    socket.send(JSON.stringify({ id, message: { method: 'send', params: { from: 'a', to: 'busy', message } } }));
  }
  const [grown] = await once(child.stdout, 'data');
  assert.ok(Number(grown) < 64 * MIB, `memory has grown by ${Math.round(Number(grown) / MIB)} MiB`);
  await until(() => answers === 900);
});
