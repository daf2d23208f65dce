'use strict';
// Hosts and the life of processes and workers.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawn, spawnSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');
const { listening, ours, until } = require('./support.js');
const { Host } = ours;

const index = JSON.stringify(path.join(__dirname, '..'));
const options = { timeout: 60_000 };

/** Runs code in a process of its own, with `Host` at hand. */
function run(code) {
  const text = `const { Host } = require(${index}); (async () => { ${code} })()`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', text], {
    encoding: 'utf8',
    timeout: 20_000
  });
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

test('however and whenever an environment ends, it leaves nothing behind', { timeout: 120_000 }, async (t) => {
  const host = await listening(t);
  host.create('r').on('message', (from) => host.publish('c', from));
  const text = `const { Host } = require(${index}); const { parentPort, workerData } = require('node:worker_threads');
    const h = new Host(); h.subscribe('c', () => {});
    const p = h.create(workerData.id); let sent = 0;
    const traffic = () => {
      for (let i = 0; i < 20; i++) p.send('r', i).then(() => { if (++sent === workerData.sends) process.exit(); }, () => {});
      setImmediate(traffic);
    };
    h.listen('127.0.0.1', 0).then(() => h.join('${host.url}')).then(() => { parentPort.postMessage(0); traffic(); });`;
  let count = 0;
  const one = async () => {
    const n = count++;
    const worker = new Worker(text, { eval: true, workerData: { id: `w${n}`, sends: n % 3 === 0 ? 1 + n : 0 } });
    const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    // In the middle of its start, of its first messages, or by itself.
    if (n % 3 === 1) setTimeout(() => worker.terminate(), n);
    if (n % 3 === 2) worker.once('message', () => worker.terminate());
    await ended;
  };
  const lane = async () => {
    while (count < 60) await one();
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  await until(() => Object.keys(host.connections).length === 0);
});

test('a process ends cleanly in the middle of traffic', options, () => {
  for (const end of [
    "o.on('message', () => process.exit(7))",
    "p.send('o', 1).then(() => process.exit(7))",
    'setTimeout(() => process.exit(7), 5)'
  ]) {
    const { status, signal } =
      run(`const a = new Host(); const b = new Host(); const o = a.create('o'); const p = b.create('p');
      await a.listen('127.0.0.1', 0); await b.join(a.url);
      const traffic = () => { for (let i = 0; i < 20; i++) p.send('o', i); setImmediate(traffic); };
      traffic(); ${end}`);
    assert.deepStrictEqual({ status, signal }, { status: 7, signal: null });
  }
});

test('sockets are read in either way', options, () => {
  for (const io of ['uv', 'portable', 'nonsense']) {
    const code = `process.env.DISTRIBUS_IO = '${io}'; const a = new Host(); const b = new Host(); a.create('o').on('message', (from, m) => console.log(m.length));
      await a.listen('127.0.0.1', 0); await b.join(a.url); await b.send('p', 'o', 'x'.repeat(3000000)); await b.close(); await a.close();`;
    assert.deepStrictEqual(run(code), { ...clean, stdout: '3000000\n' });
  }
});

/** A process with a host that says its url, and that lives until it is killed. */
async function victim(t) {
  const text = `const { Host } = require(${index}); const h = new Host(); h.listen('127.0.0.1', 0).then(() => process.stdout.write(h.url))`;
  const child = spawn(process.execPath, ['-e', text], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const url = await new Promise((resolve) => child.stdout.once('data', (data) => resolve(String(data))));
  return { child, url };
}

/** Runs code in a process that joins the victim, says so, and hears of its death. */
async function outlive(t, code, options) {
  const { child, url } = await victim(t);
  const text = `const { Host } = require(${index}); const h = new Host(${JSON.stringify(options)}); const url = '${url}';
    h.on('leave', () => console.log('left')).on('disconnect', () => console.log('lost')); ${code}`;
  const survivor = spawn(process.execPath, ['-e', text], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => survivor.kill('SIGKILL'));
  let said = '';
  survivor.stdout.on('data', (data) => {
    said += data;
  });
  const ended = new Promise((resolve) => survivor.once('close', (code, signal) => resolve(signal ?? code)));
  await until(() => said.includes('joined'));
  child.kill('SIGKILL');
  return { end: await ended, said: said.split('\n').filter(Boolean) };
}

test(
  'a host that does not listen lives until it has told that its only host is given up',
  { timeout: 120_000 },
  async (t) => {
    const options = { reconnectDelay: 10, reconnectTimeout: 150 };
    const codes = [
      "h.join(url).then(() => console.log('joined'))",
      "h.join([url, 'ws://127.0.0.1:1']).then(() => console.log('joined'))",
      "h.join(url).then(() => { console.log('joined'); h.on('disconnect', () => setTimeout(() => h.listen('127.0.0.1', url.split(':').pop() * 0 + 99999).catch(() => {}), 12)); })"
    ];
    for (let i = 0; i < 9; i++) {
      const { end, said } = await outlive(t, codes[i % 3], options);
      assert.deepStrictEqual({ end, said }, { end: 0, said: ['joined', 'lost', 'left'] });
    }
  }
);

test('a seed that does not answer keeps the process alive until it is given up, and no longer', options, async (t) => {
  const code = `h.on('unreachable', () => console.log('unreachable'));
    h.join([url, 'ws://127.0.0.1:1']).then(() => { console.log('joined'); process.on('exit', () => console.log(Object.keys(h.timers).length)); })`;
  const { end, said } = await outlive(t, code, { reconnectDelay: 10, reconnectTimeout: 100 });
  assert.strictEqual(end, 0);
  assert.deepStrictEqual(said.slice(-2), ['left', '0']);
});

test('close in the middle of a join or a reconnect leaves nothing behind at the other host', options, async (t) => {
  const host = await listening(t);
  const events = [];
  for (const event of ['join', 'leave', 'disconnect', 'reconnect'])
    host.on(event, (url, id) => events.push(`${event} ${id}`));
  for (let turns = 0; turns < 20; turns++) {
    const other = new Host({ reconnectDelay: 1 });
    const joined = other.join(host.url).then(
      () => 'joined',
      (err) => err.code
    );
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    await other.close();
    assert.ok(['joined', 'ERR_HOST_CLOSED'].includes(await joined));
    await until(() => host.hosts().length === 0);
  }
  for (let wait = 0; wait < 20; wait++) {
    const other = new Host({ reconnectDelay: wait % 5 });
    await other.join(host.url);
    Object.values(other.connections)[0].close();
    await new Promise((resolve) => setTimeout(resolve, wait / 2));
    await other.close();
    await until(() => host.hosts().length === 0);
  }
  assert.deepStrictEqual(Object.keys(host.timers), []);
  const count = (event) => events.filter((text) => text.startsWith(event)).length;
  assert.strictEqual(count('join'), count('leave'));
});
