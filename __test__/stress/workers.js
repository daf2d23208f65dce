'use strict';
// node __test__/stress/workers.js [COUNT]: starts and terminates COUNT workers in the middle of traffic, with our hosts and with
// original ones, each in a process of its own, and compares the memory that is left.

const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { Worker, isMainThread, workerData, parentPort } = require('node:worker_threads');

/** How many workers live at the same time. */
const ALIVE = 4;
/** How much more memory than the same run without the addon may stay, in bytes. */
const ALLOWED = 10 * 1024 * 1024;

const entries = { ours: path.join(__dirname, '../..'), original: require.resolve('distribus-original') };

if (!isMainThread) work(workerData);
else if (process.argv[2] === 'run') run(process.argv[3], Number(process.argv[4]));
else compare(Number(process.argv[2] ?? 1000));

/** A worker: joins, then sends and publishes without end. */
async function work({ entry, url }) {
  const { Host } = require(entry);
  const host = new Host();
  host.create('w' + Math.random()).on('message', () => {});
  await host.join(url);
  for (let round = 0; ; round++) {
    await Promise.all(Array.from({ length: 20 }, (_, i) => host.send('w', 'r', { i, text: 'x'.repeat(200) })));
    host.publish('news', round);
    if (round === 0) parentPort.postMessage('busy');
  }
}

/** One run, in a process of its own. Prints what memory is left. */
async function run(kind, count) {
  const entry = entries[kind];
  const { Host } = require(entry);
  const host = new Host();
  const port = Number(process.argv[5]);
  await host.listen('127.0.0.1', port);
  let received = 0;
  const receiver = host.create('r');
  receiver.on('message', () => {
    received++;
  });
  host.subscribe('news', () => {
    received++;
  });
  const chatter = setInterval(() => host.publish('news', 'from the main thread'), 1);
  const one = (warmUp) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(__filename, { workerData: { entry, url: host.url } });
      worker.once('error', reject);
      worker.once('message', () =>
        setTimeout(() => worker.terminate().then(resolve, reject), warmUp ? 20 : Math.random() * 20)
      );
    });
  const many = async (n) => {
    let left = n;
    await Promise.all(
      Array.from({ length: ALIVE }, async () => {
        while (left-- > 0) await one();
      })
    );
  };
  await many(ALIVE * 2);
  const first = await rss();
  await many(count);
  const last = await rss();
  clearInterval(chatter);
  await host.close();
  console.log(JSON.stringify({ kind, count, received, first, last }));
  if (received === 0) process.exitCode = 1;
  if (kind === 'original') process.exit(); // it would wait for timers of the lost hosts
}

/** The memory of this process when all garbage is gone. */
async function rss() {
  for (let i = 0; i < 5; i++) {
    global.gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage.rss();
}

async function compare(count) {
  const { freePort } = require('../support.js');
  const results = {};
  for (const kind of ['original', 'ours']) {
    const args = ['--expose-gc', __filename, 'run', kind, String(count), String(await freePort())];
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      maxBuffer: 1 << 26
    });
    if (status !== 0) {
      console.error(`${kind}: exit code ${status}, signal ${signal}\n${stderr}`);
      process.exit(1);
    }
    results[kind] = JSON.parse(stdout.trim().split('\n').at(-1));
    const { first, last, received } = results[kind];
    console.log(
      `${kind}: ${count} workers, ${received} messages, RSS ${mb(first)} after the first ones, ${mb(last)} at the end`
    );
  }
  const more = results.ours.last - results.original.last;
  console.log(`ours keeps ${mb(more)} more than the original; allowed are ${mb(ALLOWED)}`);
  if (more > ALLOWED) process.exitCode = 1;
}

function mb(bytes) {
  return (bytes / 1024 / 1024).toFixed(1) + ' MB';
}
