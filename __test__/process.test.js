'use strict';
// Hosts and the life of processes and workers.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawn, spawnSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');
const { listening } = require('./support.js');

const index = JSON.stringify(path.join(__dirname, '..'));
const options = { timeout: 60_000 };

/** Runs code in a process of its own, with `Host` at hand. */
function run(code) {
  const text = `const { Host } = require(${index}); (async () => { ${code} })()`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', text], { encoding: 'utf8', timeout: 20_000 });
  return { status, signal, stdout, stderr };
}
const clean = { status: 0, signal: null, stdout: '', stderr: '' };

test('hosts that are unused, closed or have failed to join let the process end', options, () => {
  assert.deepStrictEqual(run('new Host().create(1)'), clean);
  assert.deepStrictEqual(run("const h = new Host(); await h.listen('localhost', 0); await h.close()"), clean);
  assert.deepStrictEqual(run("await new Host().join('ws://127.0.0.1:1').catch(() => {})"), clean);
});

test('a listening host keeps the process alive', options, async () => {
  const text = `const { Host } = require(${index}); const h = new Host(); h.listen('localhost', 0).then(() => console.log('listening'))`;
  const child = spawn(process.execPath, ['-e', text]);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  assert.strictEqual(child.exitCode, null);
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal)));
  child.kill();
  assert.strictEqual(await ended, 'SIGTERM');
});

test('publish and process.exit delivers', options, async (t) => {
  const host = await listening(t);
  const heard = new Promise((resolve) => host.subscribe('c', resolve));
  const text = `const { Host } = require(${index}); const h = new Host();
    h.join('${host.url}').then(() => { h.publish('c', 'last words'); process.exit(0) })`;
  spawn(process.execPath, ['-e', text], { stdio: 'inherit' });
  assert.strictEqual(await heard, 'last words');
});

test('an uncaught failed send does not end the process', options, () => {
  const { status, stderr } = run("new Host().send('a', 'nobody', 1)");
  assert.strictEqual(status, 0);
  assert.match(stderr, /Peer not found \(id: nobody\)/);
});

test('workers have hosts, and are terminated in the middle of traffic', options, async (t) => {
  const host = await listening(t);
  host.create('r');
  const text = `const { Host } = require(${index}); const { parentPort } = require('node:worker_threads'); const h = new Host();
    h.join('${host.url}').then(async () => { parentPort.postMessage(0); for (;;) await Promise.all(Array.from({ length: 100 }, (_, i) => h.send('s', 'r', i))) })`;
  for (let i = 0; i < 10; i++) {
    const worker = new Worker(text, { eval: true });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
  }
  assert.strictEqual(await host.send('a', 'r', 1), null);
});
