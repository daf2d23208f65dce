'use strict';
// What surrounds a host: the mode of the process, async contexts, other tools.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { AsyncLocalStorage, createHook } = require('node:async_hooks');
const { listening, ours } = require('./support.js');

const options = { timeout: 60_000 };
const index = JSON.stringify(path.join(__dirname, '..'));

/**
 * Runs code in a process of its own.
 * @param {string} code
 * @param {Record<string, string>} [env]
 * @param {string[]} [flags] of Node.js
 */
function run(code, env, flags = []) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', `(async () => { ${code} })()`], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, ...env }
  });
  return { status, stdout, stderr };
}

const traffic = `const { Host, Promise } = require(${index}); const a = new Host(); const b = new Host(); a.create('a'); b.create('b');
  a.get('a').handle(() => 2); await a.listen('127.0.0.1', 0); const under = [];
  await b.join(a.url).then(() => { under.push(b.get('b').send('a', 1), b.get('b').request('a', 1), b.find('a')); });
  await Promise.all(under); await b.join(a.url).then(() => { under.push(b.close()); }); await Promise.all(under); await a.close();`;

test('NODE_ENV=development makes no promise warn, and traces none', options, () => {
  const { status, stdout, stderr } = run(`${traffic} console.log(Promise.hasLongStackTraces());`, { NODE_ENV: 'development' });
  assert.deepStrictEqual({ status, stdout, stderr }, { status: 0, stdout: 'false\n', stderr: '' });
});

test('BLUEBIRD_DEBUG asks for the warnings and the traces', options, () => {
  const { status, stdout, stderr } = run(`${traffic} console.log(Promise.hasLongStackTraces());`, { BLUEBIRD_DEBUG: '1' });
  assert.deepStrictEqual({ status, stdout }, { status: 0, stdout: 'true\n' });
  assert.match(stderr, /was not returned/);
});

test("the bluebird of a program keeps its own configuration, and so do the host's promises", options, () => {
  const code = `const Bluebird = require(${JSON.stringify(require.resolve('bluebird'))}); Bluebird.config({ warnings: true, longStackTraces: true });
    ${traffic} console.log(Bluebird.hasLongStackTraces(), Promise.hasLongStackTraces());`;
  assert.deepStrictEqual(run(code), { status: 0, stdout: 'true false\n', stderr: '' });
});

test('after close no async resource of a host is left', options, async (t) => {
  /** @type {Map<number, string>} */
  const living = new Map();
  const hook = createHook({
    init: (id, type) => {
      if (/distribus/i.test(type)) living.set(id, type);
    },
    destroy: (id) => living.delete(id)
  }).enable();
  t.after(() => hook.disable());
  const a = await listening(t);
  const b = new ours.Host();
  await b.join(a.url);
  assert.notStrictEqual(living.size, 0);
  await b.close();
  await a.close();
  while (living.size > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('listeners run in the async context of the life in which they are called', options, async (t) => {
  const storage = new AsyncLocalStorage();
  const host = new ours.Host();
  t.after(() => host.close());
  const contexts = [];
  host.create('r').on('message', () => contexts.push(storage.getStore()));
  for (const life of ['first', 'second']) {
    await storage.run(life, () => host.listen('127.0.0.1', 0));
    const other = await listening(t);
    await other.join(host.url);
    await other.send('s', 'r', 1);
    await other.close();
    await host.close();
  }
  assert.deepStrictEqual(contexts, ['first', 'second']);
});
