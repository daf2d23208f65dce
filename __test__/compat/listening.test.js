'use strict';
// COMPAT 15 to 17 and 34: listening.

const test = require('node:test');
const assert = require('node:assert');
const net = require('node:net');
const os = require('node:os');
const { spawnSync } = require('node:child_process');
const { both, host, listening, ours, original } = require('./both.js');
const { freePort } = require('../support.js');

const options = { timeout: 30_000 };

/** An address of this machine that others can reach, if it has one. */
const outside = Object.values(os.networkInterfaces())
  .flat()
  .find((i) => i.family === 'IPv4' && !i.internal)?.address;

const hasIPv6 = Object.values(os.networkInterfaces())
  .flat()
  .some((i) => i.address === '::1');

function connects(address, port) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: address, port });
    socket
      .once('connect', () => resolve(true))
      .once('error', () => resolve(false))
      .once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}

both('the address is advertised, a port given as a string stays one', async (t, distribus) => {
  const one = host(t, distribus);
  const port = String(await freePort());
  assert.strictEqual(await one.listen('some.name', port), one);
  assert.deepStrictEqual([one.address, one.port, one.url], ['some.name', port, `ws://some.name:${port}`]);
  assert.ok(await connects('127.0.0.1', Number(port)));
});

both('a second listen is refused, listen after close is not', async (t, distribus) => {
  const one = await listening(t, distribus);
  await assert.rejects(Promise.resolve(one.listen('127.0.0.1', 0)), { message: 'Server already listening' });
  await one.close();
  assert.strictEqual(await one.listen('127.0.0.1', 0), one);
});

both('a port that is taken', async (t, distribus, kind) => {
  const taken = net.createServer().listen(0, '0.0.0.0');
  t.after(() => taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address();
  const one = host(t, distribus);
  await assert.rejects(Promise.resolve(one.listen('127.0.0.1', port)), (err) => {
    if (kind === 'ours') assert.strictEqual(String(err), 'Error: listen EADDRINUSE');
    else assert.match(String(err), /^Error: listen EADDRINUSE/);
    assert.deepStrictEqual([err.code, err.syscall, err.port], ['EADDRINUSE', 'listen', port]);
    return true;
  });
  if (kind === 'ours') {
    assert.deepStrictEqual([one.server, one.url], [null, undefined]);
    await one.listen('127.0.0.1', 0); // Fixed: the original says "already listening" until it is closed
  }
});

test('a loopback name or address binds loopback only, any other one all interfaces', options, async (t) => {
  const expected = {
    localhost: [true, false],
    '127.0.0.1': [true, false],
    '127.0.0.2': [false, false],
    'x.example': [true, true],
    '0.0.0.0': [true, true]
  };
  for (const [address, [local, remote]] of Object.entries(expected)) {
    const one = new ours.Host();
    t.after(() => one.close());
    await one.listen(address, 0);
    assert.strictEqual(await connects('127.0.0.1', one.port), local, address);
    if (outside) assert.strictEqual(await connects(outside, one.port), remote, address);
  }
});

test('every spelling of a loopback address binds loopback only', options, async (t) => {
  const spellings = [
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '127.0.0.1.',
    '::ffff:127.0.0.1',
    '[::ffff:7f00:1]',
    'LOCALHOST',
    'localhost.',
    'some.LocalHost.'
  ];
  if (hasIPv6) spellings.push('0:0:0:0:0:0:0:1', '[::1]', '::0001', '::1%lo');
  for (const address of spellings) {
    const one = new ours.Host();
    t.after(() => one.close());
    await one.listen(address, 0);
    assert.strictEqual(one.address, address);
    assert.strictEqual(await connects(/^\[?[0:]+1/.test(address) ? '::1' : '127.0.0.1', one.port), true, address);
    // Every address of this machine is one of all interfaces.
    assert.strictEqual(await connects(outside ?? '127.0.0.2', one.port), false, address);
  }
});

test('bind accepts every spelling of an address, and refuses what it would not bind', options, async (t) => {
  const one = new ours.Host();
  t.after(() => one.close());
  for (const bind of ['::ffff:127.0.0.1', 'LOCALHOST', 'localhost.']) {
    await one.listen('x.example', 0, { bind });
    assert.deepStrictEqual(
      [await connects('127.0.0.1', one.port), await connects(outside ?? '127.0.0.2', one.port)],
      [true, false],
      bind
    );
    await one.close();
  }
  for (const bind of ['fe80::1%eth0', '127.1', 'x.example', '', null]) {
    await assert.rejects(one.listen('x.example', 0, { bind }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
  }
});

test(
  'while the name to listen at is looked up the host can neither listen again nor be made to listen after it was closed',
  options,
  async (t) => {
    const one = new ours.Host();
    t.after(() => one.close());
    const first = one.listen('x.example', 0);
    const second = one.listen('127.0.0.1', 0);
    const closed = one.close();
    await assert.rejects(second, { code: 'ERR_SERVER_ALREADY_LISTENING' });
    await assert.rejects(first, { code: 'ERR_HOST_CLOSED' });
    assert.strictEqual(await closed, one);
    assert.deepStrictEqual([one.server, one.url], [null, undefined]);
    assert.strictEqual(await one.listen('x.example', 0), one);
    assert.strictEqual(one.url, `ws://x.example:${one.port}`);
  }
);

test('localhost binds both families', { ...options, skip: !hasIPv6 }, async (t) => {
  const one = new ours.Host();
  t.after(() => one.close());
  await one.listen('localhost', 0);
  assert.deepStrictEqual([await connects('::1', one.port), await connects('127.0.0.1', one.port)], [true, true]);
});

test('bind decides explicitly', options, async (t) => {
  const one = new ours.Host();
  t.after(() => one.close());
  await one.listen('x.example', 0, { bind: '127.0.0.1' });
  assert.strictEqual(await connects('127.0.0.1', one.port), true);
  if (outside) assert.strictEqual(await connects(outside, one.port), false);
  await one.close();
  await one.listen('localhost', 0, { bind: '0.0.0.0' });
  if (outside) assert.strictEqual(await connects(outside, one.port), true);
  assert.match(one.url, /^ws:\/\/localhost:\d+$/);
});

test('port 0 reports the real port', options, async (t) => {
  const one = new ours.Host();
  t.after(() => one.close());
  await one.listen('localhost', '0');
  assert.ok(Number.isInteger(one.port) && one.port > 0);
  assert.strictEqual(one.url, `ws://localhost:${one.port}`);
});

for (const [kind, distribus] of Object.entries({ original, ours })) {
  test(`which hosts keep a process alive (${kind})`, { timeout: 60_000 }, () => {
    const entry = JSON.stringify(distribus === ours ? require.resolve('../..') : require.resolve('distribus-original'));
    const run = (code, timeout = 30_000) => {
      const text = `const { Host } = require(${entry}); const host = new Host(); ${code}`;
      const { status, signal } = spawnSync(process.execPath, ['-e', text], { timeout });
      return signal ?? status;
    };
    assert.strictEqual(run('host.create(1); host.subscribe("c", () => {}); host.publish("c", 1)'), 0);
    assert.strictEqual(run('host.listen("127.0.0.1", 0).then(() => host.close())'), 0);
    assert.strictEqual(run('host.join("ws://127.0.0.1:1").then(() => {}, () => {})'), 0);
    assert.strictEqual(run('host.listen("127.0.0.1", 0)', 1500), 'SIGTERM');
  });
}

for (const kind of ['connected', 'closed']) {
  test(`a host that does not listen and is ${kind}`, { timeout: 60_000 }, async (t) => {
    const one = await listening(t, ours);
    const { spawn } = require('node:child_process');
    const text = `const host = new (require(${JSON.stringify(require.resolve('../..'))}).Host)();
      host.join('${one.url}').then(() => { console.log('joined'); ${kind === 'closed' ? 'host.close()' : ''} })`;
    const child = spawn(process.execPath, ['-e', text], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill());
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    if (kind === 'closed') assert.strictEqual(await ended, 0);
    else {
      one.create('p');
      assert.strictEqual(Object.keys(one.connections).length, 1);
      await one.send('a', 'p', 1);
      assert.strictEqual(child.exitCode, null);
    }
  });
}
