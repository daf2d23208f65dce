'use strict';
// node __test__/stress/soak.js [SECONDS]: two hosts in two processes whose connection is cut every second, and who send, publish and request all
// the time. Every second a third host joins and leaves, and every fifth one a fourth is ended without a word. Memory, descriptors and timers
// of both processes must not grow, and nothing may be lost. Writes a line a minute.

const path = require('node:path');
const fs = require('node:fs');
const net = require('node:net');
const v8 = require('node:v8');
const vm = require('node:vm');
const assert = require('node:assert');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const { Host } = require(path.join(__dirname, '../..'));

const OPTIONS = { reconnectDelay: 50, reconnectTimeout: 10_000 };
const MIB = 2 ** 20;
/** Of each kind, in a second. */
const MESSAGES = 100;

if (!isMainThread) join(workerData);
else if (process.argv[2] === 'other') other(process.argv[3]);
else run(Number(process.argv[2] ?? 1800));

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** A host that is ended by the end of its thread. */
async function join(url) {
  const host = new Host();
  await host.join(url);
  host.subscribe('news', () => {});
  host.create(`worker ${host.id}`);
  parentPort.postMessage('joined');
}

/** What this process takes at rest. */
async function taken() {
  gc();
  await sleep(0);
  const { rss, heapUsed } = process.memoryUsage();
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const descriptors = process.platform === 'linux' ? fs.readdirSync('/proc/self/fd').length : 0;
  return { rss, heapUsed, timers, descriptors };
}

/** Has peers and listeners of a host count what comes. */
function count(host, name) {
  const counts = { received: 0, heard: 0 };
  host.create(name).on('message', () => {
    counts.received++;
  });
  host.create(`${name} answers`).handle((from, message) => message);
  host.subscribe('news', ({ of }) => {
    if (of !== name) counts.heard++;
  });
  // Of the hosts that are ended.
  host.on('drop', () => {});
  return counts;
}

/** Says something of every kind. Gives what was not delivered. */
async function talk(host, name, to, n) {
  const errors = [];
  const note = (err) => {
    errors.push(err.code);
  };
  const all = [];
  for (let i = 0; i < MESSAGES; i++) {
    all.push(host.send(name, to, { n, i }, { offline: 'queue' }).catch(note));
    host.publish('news', { of: name, n, i });
  }
  await Promise.all(all);
  // All has been acknowledged, so they are connected; for the rest of the second.
  for (let i = 0; i < MESSAGES / 10; i++) {
    const reply = await host.get(name).request(`${to} answers`, i).catch(note);
    assert.ok(reply === i || errors.length > 0);
  }
  return errors;
}

/** The other process. */
async function other(url) {
  const host = new Host(OPTIONS);
  const counts = count(host, 'other');
  await host.join(url);
  await host.ready();
  await host.send('other', 'first', 'where are you?');
  process.on('message', async ({ n }) => {
    const errors = n === undefined ? [] : await talk(host, 'other', 'first', n);
    process.send({ counts, errors, taken: n === undefined ? await taken() : null });
  });
  process.on('disconnect', () => process.exit());
  process.send('joined');
}

async function run(seconds) {
  const host = new Host(OPTIONS);
  const counts = count(host, 'first');
  await host.listen('127.0.0.1', 0);
  const port = Number(new URL(host.url).port);
  // Between the two stands somebody who cuts connections.
  const sockets = new Set();
  const between = net
    .createServer((socket) => {
      const on = net.connect(port, '127.0.0.1');
      for (const [one, two] of [
        [socket, on],
        [on, socket]
      ]) {
        sockets.add(one);
        one.pipe(two);
        one
          .on('error', () => {})
          .once('close', () => {
            sockets.delete(one);
            two.destroy();
          });
      }
    })
    .listen(0, '127.0.0.1');
  await once(between, 'listening');
  const child = fork(__filename, ['other', `ws://127.0.0.1:${between.address().port}`]);
  await once(child, 'message');
  const ask = async (message) => {
    child.send(message);
    return (await once(child, 'message'))[0];
  };
  let reconnects = 0;
  host.on('reconnect', () => {
    reconnects++;
  });

  await host.send('first', 'other', 'where are you?');
  const samples = [];
  const errors = [];
  let rounds = 0;
  const start = performance.now();
  for (let n = 0; performance.now() - start < seconds * 1000; n++) {
    rounds++;
    const before = reconnects;
    for (const socket of sockets) socket.destroy();
    const theirs = ask({ n });
    errors.push(...(await talk(host, 'first', 'other', n)), ...(await theirs).errors);
    while (reconnects === before) await sleep(5);
    const guest = new Host();
    await guest.join(host.url);
    await guest.send('guest', 'first answers', 0);
    await guest.close();
    if (n % 5 === 4) {
      const worker = new Worker(__filename, { workerData: host.url });
      await once(worker, 'message');
      await worker.terminate();
    }
    if (n % 10 === 9) {
      const sample = { ours: await taken(), theirs: (await ask({})).taken };
      samples.push(sample);
      if (n % 60 === 59) {
        const line = ({ rss, heapUsed, timers, descriptors }) =>
          `${(rss / MIB).toFixed(1)} MiB, heap ${(heapUsed / MIB).toFixed(2)}, ${timers} timers, ${descriptors} descriptors`;
        console.log(`${n + 1} rounds: ${line(sample.ours)}; ${line(sample.theirs)}`);
      }
    }
    await sleep(Math.max(0, (n + 1) * 1000 - (performance.now() - start)));
  }
  const { counts: heardThere } = await ask({});
  console.log(`${reconnects} reconnects, ${rounds * MESSAGES} sends and as many publishes each way`);
  assert.deepStrictEqual(errors.slice(0, 10), []);
  const all = { received: rounds * MESSAGES + 1, heard: rounds * MESSAGES };
  assert.deepStrictEqual([counts, heardThere], [all, all]);
  check(samples);
  child.disconnect();
  between.close();
  for (const socket of sockets) socket.destroy();
  await host.close();
}

/** Compares the last third with the second one: the first one warms up. */
function check(samples) {
  const third = Math.floor(samples.length / 3);
  if (third < 2) return;
  const median = (list, value) => list.map(value).sort((a, b) => a - b)[list.length >> 1];
  for (const side of ['ours', 'theirs']) {
    for (const [what, allowed] of [
      ['rss', 4 * MIB],
      ['heapUsed', MIB],
      ['timers', 0],
      ['descriptors', 0]
    ]) {
      const value = (sample) => sample[side][what];
      const [before, after] = [median(samples.slice(third, 2 * third), value), median(samples.slice(-third), value)];
      console.log(`${side} ${what}: ${before} in the second third, ${after} in the last one`);
      assert.ok(after - before <= allowed, `${side} ${what} grew from ${before} to ${after}`);
    }
  }
}
