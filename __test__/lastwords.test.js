'use strict';
// What a program says last leaves, however its process ends.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { besideOriginal, listening, ours, until } = require('./support.js');

const index = JSON.stringify(path.join(__dirname, '..'));
const options = { timeout: 60_000 };

/** Runs code in a process of its own, after it has joined the host; `host` and `say` are at hand. Gives the process. */
function talk(t, host, code) {
  const text = `const { Host } = require(${index}); const { Worker } = require('node:worker_threads');
    const host = new Host(); const say = (...words) => words.forEach((word) => host.publish('words', word));
    const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    host.join('${host.url}').then(() => { ${code} });`;
  // `ulimit`: nobody wants the memory of what aborts.
  const child = spawn('/bin/sh', ['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath, '-e', text], {
    stdio: ['ignore', 'inherit', 'inherit']
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** What is heard of it, to be compared when so much has come, or when it has ended and its connection as well. */
async function listen(t) {
  const host = await listening(t);
  const heard = [];
  host.subscribe('words', (word) => heard.push(word));
  return { host, heard };
}

async function ended(child, host) {
  const end = await new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  await until(() => Object.keys(host.connections).length === 0);
  return end;
}

const five = [1, 2, 3, 4, 5];
const many = Array.from({ length: 300 }, (_, i) => i);

for (const [what, code, words, end] of [
  [
    'listeners to exit that were added after the join',
    "process.on('exit', () => { say(1, 2); say(3); }); process.on('exit', () => say(4, 5)); process.exit(3);",
    five,
    3
  ],
  [
    'an exception that nobody catches',
    "process.on('exit', () => say(4, 5)); process.on('uncaughtException', () => { say(3); process.exit(5); }); say(1, 2); setImmediate(() => { throw new Error('x'); });",
    five,
    5
  ],
  ['a program that kills itself', "say(1, 2, 3, 4, 5); process.kill(process.pid, 'SIGKILL');", five, 'SIGKILL'],
  [
    'a program that kills itself in the middle of a lot',
    "say(...Array(300).keys()); process.kill(process.pid, 'SIGKILL');",
    many,
    'SIGKILL'
  ],
  [
    'a program that kills itself by a function that it took before',
    "say(1, 2, 3, 4, 5); import('node:process').then(({ kill }) => { say(6); kill(process.pid, 9); });",
    [...five, 6],
    'SIGKILL'
  ],
  [
    'a program that raises its signal again',
    "process.once('SIGTERM', () => { say(1, 2, 3, 4, 5); process.kill(process.pid, 'SIGTERM'); }); process.kill(process.pid, 'SIGTERM');",
    five,
    'SIGTERM'
  ],
  [
    'a listener that kills its process',
    "host.subscribe('die', () => { say(1, 2, 3, 4, 5); process.kill(process.pid, 'SIGKILL'); }); say('ready');",
    ['ready', ...five],
    'SIGKILL'
  ],
  ['a program that aborts', 'say(1, 2, 3, 4, 5); process.abort();', five, 'SIGABRT'],
  [
    'a worker that exits',
    `new Worker('const { Host } = require(${index}); const host = new Host(); host.join(' + JSON.stringify(Object.keys(host.connections)[0]) + ').then(() => { process.on("exit", () => [3, 4, 5].forEach((n) => host.publish("words", n))); host.publish("words", 1); host.publish("words", 2); process.exit(); })', { eval: true }).on('exit', () => process.exit(6));`,
    five,
    6
  ],
  [
    'a worker that kills the process',
    `new Worker('const { Host } = require(${index}); const host = new Host(); host.join(' + JSON.stringify(Object.keys(host.connections)[0]) + ').then(() => { for (let n = 1; n < 6; n++) host.publish("words", n); process.kill(process.pid, "SIGKILL"); })', { eval: true });`,
    five,
    'SIGKILL'
  ]
]) {
  test(`what is said last is heard of ${what}`, options, async (t) => {
    const { host, heard } = await listen(t);
    const child = talk(t, host, code);
    if (code.includes("'die'")) {
      await until(() => heard.length === 1);
      // Perhaps it has not told yet what it listens to.
      const dies = setInterval(() => host.publish('die', 1), 10);
      t.after(() => clearInterval(dies));
    }
    assert.strictEqual(await ended(child, host), end);
    assert.deepStrictEqual(heard, words);
  });
}

test('what is said before a thread blocks is heard while it does', options, async (t) => {
  const { host, heard } = await listen(t);
  const child = talk(t, host, 'say(1, 2, 3, 4, 5); block();');
  await until(() => heard.length === 5);
  child.kill('SIGKILL');
  assert.strictEqual(await ended(child, host), 'SIGKILL');
  assert.deepStrictEqual(heard, five);
});

test('a program that computes for long is heard of meanwhile', options, async (t) => {
  const { host, heard } = await listen(t);
  const child = talk(t, host, 'for (let n = 0; n < 50; n++) { say(n); block(2); } block();');
  await until(() => heard.length === 50);
  child.kill('SIGKILL');
  await ended(child, host);
  assert.deepStrictEqual(heard, many.slice(0, 50));
});

test('a worker that is terminated while it is blocked has said what it said before', options, async (t) => {
  const { host, heard } = await listen(t);
  const { Worker } = require('node:worker_threads');
  const text = `const { Host } = require(${index}); const host = new Host();
    host.join('${host.url}').then(() => { for (let n = 1; n < 6; n++) host.publish('words', n); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); })`;
  const worker = new Worker(text, { eval: true });
  await until(() => heard.length === 5);
  await worker.terminate();
  assert.deepStrictEqual(heard, five);
});

test('a 0.4.0 host hears it as well', options, async (t) => {
  const [one] = await besideOriginal(t);
  one.config({ reconnectTimeout: 100 }); // it keeps a timer for that long for each host that was killed
  const heard = [];
  one.subscribe('words', (word) => heard.push(word));
  const direct = talk(
    t,
    one,
    "say(1, 2); process.on('exit', () => say(4, 5)); setImmediate(() => { say(3); process.kill(process.pid, 'SIGKILL'); });"
  );
  assert.strictEqual(await new Promise((resolve) => direct.once('exit', (code, signal) => resolve(signal))), 'SIGKILL');
  await until(() => heard.length === 3);
  assert.deepStrictEqual(heard, [1, 2, 3]);
});

test(
  'a program sees nothing of that: process.kill stays what it is, and what was replaced is put back',
  options,
  async (t) => {
    const names = ['kill', '_kill', 'abort', 'exit', 'reallyExit'];
    const state = () => names.map((name) => process[name]);
    const before = state();
    const { kill } = process;
    const host = await listening(t);
    assert.strictEqual(process.kill, kill);
    assert.strictEqual(process.abort.name, 'abort');
    assert.strictEqual(process.abort.length, 0);
    assert.strictEqual(process.kill(process.pid, 0), true);
    assert.throws(() => process.kill(process.pid, 'SIGNOTHING'), { code: 'ERR_UNKNOWN_SIGNAL' });
    assert.throws(() => process.kill(2 ** 30, 0), { code: 'ESRCH' });
    await host.close();
    assert.deepStrictEqual(state(), before);
    // Somebody else replaces it meanwhile, and puts back what was there.
    await host.listen('127.0.0.1', 0);
    const there = process._kill;
    const stub = () => 0;
    process._kill = stub;
    assert.strictEqual(process.kill(process.pid, 'SIGKILL'), true);
    await host.close();
    assert.strictEqual(process._kill, stub);
    process._kill = there;
    await host.listen('127.0.0.1', 0);
    assert.strictEqual(process.kill(process.pid, 0), true);
    await host.close();
    assert.deepStrictEqual(state(), before);
  }
);

test('emitting exit without exiting changes nothing for long', options, async (t) => {
  const { host, heard } = await listen(t);
  const other = new ours.Host();
  t.after(() => other.close());
  await other.join(host.url);
  const listeners = process.listeners('exit');
  listeners[listeners.length - 1](0);
  const frames = () => other.stats().bytesOut;
  assert.ok(frames() >= 0);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  for (const word of many) other.publish('words', word);
  await until(() => heard.length === many.length);
  assert.deepStrictEqual(heard, many);
});
