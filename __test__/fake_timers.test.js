'use strict';
// Hosts in tests whose timers and clocks are fakes.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const FakeTimers = require('@sinonjs/fake-timers');
const { listening, next, pair, until } = require('./support.js');

const options = { timeout: 60_000 };
const index = JSON.stringify(path.join(__dirname, '..'));
const fakes = JSON.stringify(require.resolve('@sinonjs/fake-timers'));

const kinds = {
  'node:test': (t) => {
    t.mock.timers.enable();
    return () => t.mock.timers.reset();
  },
  '@sinonjs/fake-timers': (t) => {
    // The test runner itself needs this one.
    const clock = FakeTimers.install({ toNotFake: ['nextTick'] });
    t.after(() => clock.uninstall());
    return () => clock.uninstall();
  }
};

for (const [name, fake] of Object.entries(kinds)) {
  test(`under the fake timers of ${name} messages, publishes, requests and watches go on`, options, async (t) => {
    const { a, b, peer } = await pair(t);
    peer.handle((from, message) => message + 1);
    b.subscribe('c', (message) => b.publish('d', message));
    await b.ready();
    const restore = fake(t);
    const arrived = next(peer);
    assert.strictEqual(await a.send('a', 'b', 1), null);
    assert.deepStrictEqual(await arrived, { from: 'a', message: 1 });
    assert.strictEqual(await a.create('asks').request('b', 1), 2);
    const heard = new Promise((resolve) => a.subscribe('d', resolve));
    await a.ready();
    a.publish('c', 'published');
    assert.strictEqual(await heard, 'published');
    const watch = b.watch('new*');
    a.create('new one');
    assert.deepStrictEqual((await watch.next()).value, { type: 'join', id: 'new one' });
    await assert.rejects(a.send('a', 'nobody', 1), { code: 'ERR_PEER_NOT_FOUND' });
    restore();
    assert.strictEqual(await a.send('a', 'b', 2), null);
  });

  test(
    `a host that was made, joined and closed under the fake timers of ${name} works like any other`,
    options,
    async (t) => {
      const restore = fake(t);
      const a = await listening(t);
      const b = await listening(t);
      await b.join(a.url);
      b.create('b');
      assert.strictEqual(await a.send('a', 'b', 1), null);
      assert.strictEqual(await b.drain(), b);
      assert.strictEqual(await a.close(), a);
      restore();
    }
  );

  test(
    `what was sent under the fake timers of ${name}, and not waited for, arrives when they are gone`,
    options,
    async (t) => {
      const { a, peer } = await pair(t);
      const restore = fake(t);
      const arrived = next(peer);
      a.send('a', 'b', 1);
      restore();
      assert.deepStrictEqual(await arrived, { from: 'a', message: 1 });
      assert.strictEqual(await a.send('a', 'b', 2), null);
    }
  );

  test(`a request times out in real time under the fake timers of ${name}`, options, async (t) => {
    const { a, peer } = await pair(t);
    peer.handle(() => new Promise(() => {}));
    const asks = a.create('asks');
    fake(t);
    await assert.rejects(asks.request('b', 1, { timeout: 20 }), { code: 'ERR_REQUEST_TIMEOUT' });
  });
}

/** Runs code in a process of its own, which has to end by itself. */
function run(code) {
  const text = `const FakeTimers = require(${fakes}); (async () => { ${code} })()`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', '-e', text], {
    encoding: 'utf8',
    timeout: 20_000
  });
  return { status, signal, stdout, stderr };
}
const clean = { status: 0, signal: null, stdout: '', stderr: '' };

test('a host that is closed under fake timers lets the process end', options, () => {
  const under = 'const clock = FakeTimers.install(); await a.close(); clock.uninstall();';
  assert.deepStrictEqual(
    run(`const { Host } = require(${index}); const a = new Host(); await a.listen('127.0.0.1', 0); ${under}`),
    clean
  );
  const mocked = "const { mock } = require('node:test'); mock.timers.enable(); await a.close(); mock.timers.reset();";
  assert.deepStrictEqual(
    run(`const { Host } = require(${index}); const a = new Host(); await a.listen('127.0.0.1', 0); ${mocked}`),
    clean
  );
});

test('the package works when it is first loaded under fake timers', options, () => {
  const code = `const clock = FakeTimers.install(); const { Host } = require(${index}); const a = new Host(); const b = new Host(); b.create('b');
    await a.listen('127.0.0.1', 0); await b.join(a.url); console.log(await a.send('a', 'b', 1)); await b.close(); await a.close(); clock.uninstall();`;
  assert.deepStrictEqual(run(code), { ...clean, stdout: 'null\n' });
});

test('the package works without a global setImmediate', options, () => {
  const code = `const { setImmediate } = globalThis; delete globalThis.setImmediate; delete globalThis.clearImmediate;
    const { Host } = require(${index}); const a = new Host(); const b = new Host(); b.create('b');
    await a.listen('127.0.0.1', 0); await b.join(a.url); b.create('c'); console.log(await a.send('a', 'c', 1)); await b.close(); await a.close();`;
  assert.deepStrictEqual(run(code), { ...clean, stdout: 'null\n' });
});

test('a clock that is set back does not keep warnings away', options, async (t) => {
  const { a, peer } = await pair(t);
  peer.on('message', () => {
    throw new Error('thrown');
  });
  const warnings = [];
  t.mock.method(process, 'emitWarning', (message) => {
    if (String(message).includes('thrown')) warnings.push(message);
  });
  await a.send('a', 'b', 1);
  await until(() => warnings.length === 1);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 3_600_000 });
  while (warnings.length < 2) await a.send('a', 'b', 1);
});
