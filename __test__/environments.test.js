'use strict';
// What surrounds a host: the mode of the process, async contexts, other tools.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const vm = require('node:vm');
const { spawnSync } = require('node:child_process');
const { AsyncLocalStorage, createHook } = require('node:async_hooks');
const { listening, ours, pair, sever, until } = require('./support.js');

const options = { timeout: 60_000 };
/** What only Node.js has. */
const ofNode = { ...options, skip: 'bun' in process.versions || 'deno' in process.versions };
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
  const { status, stdout, stderr } = run(`${traffic} console.log(Promise.hasLongStackTraces());`, {
    NODE_ENV: 'development'
  });
  assert.deepStrictEqual({ status, stdout, stderr }, { status: 0, stdout: 'false\n', stderr: '' });
});

test('BLUEBIRD_DEBUG asks for the warnings and the traces', options, () => {
  const { status, stdout, stderr } = run(`${traffic} console.log(Promise.hasLongStackTraces());`, {
    BLUEBIRD_DEBUG: '1'
  });
  assert.deepStrictEqual({ status, stdout }, { status: 0, stdout: 'true\n' });
  assert.match(stderr, /was not returned/);
});

test("the bluebird of a program keeps its own configuration, and so do the host's promises", options, () => {
  const code = `const Bluebird = require(${JSON.stringify(require.resolve('bluebird'))}); Bluebird.config({ warnings: true, longStackTraces: true });
    ${traffic} console.log(Bluebird.hasLongStackTraces(), Promise.hasLongStackTraces());`;
  assert.deepStrictEqual(run(code), { status: 0, stdout: 'true false\n', stderr: '' });
});

test('after close no async resource of a host is left', ofNode, async (t) => {
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

test('where Node.js loads no addons, the error says so', ofNode, () => {
  const code = `try { require(${index}); } catch (err) { console.log(err.code + ' ' + err.message); }`;
  const forbidden = /^ERR_ADDON_UNAVAILABLE .* was told to load no addons: start it without --no-addons/;
  assert.match(run(code, {}, ['--no-addons']).stdout, forbidden);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 23 || (major === 23 && minor >= 5))
    assert.match(run(code, {}, ['--permission', '--allow-fs-read=*']).stdout, forbidden);
});

/** The package once more, as two versions of a dependency bring it. */
function anotherCopy() {
  const { cache } = require;
  const mine = Object.keys(cache).filter(
    (file) => file.startsWith(path.join(__dirname, '..', 'lib') + path.sep) || file === require.resolve('..')
  );
  const kept = mine.map((file) => [file, cache[file]]);
  for (const file of mine) if (!file.endsWith('native.js')) delete cache[file];
  const copy = require('..');
  for (const [file, module] of kept) cache[file] = module;
  assert.notStrictEqual(copy.Peer, ours.Peer);
  return copy;
}

test('remove takes a peer of another copy of the package like one of its own', () => {
  const host = new ours.Host();
  const { Host } = anotherCopy();
  const foreign = new Host().create('a');
  host.create('a');
  host.create('[object Object]');
  host.remove(foreign);
  assert.deepStrictEqual(Object.keys(host.peers), ['[object Object]']);
  // Everything else that is no peer is an id, as ever.
  host.remove({ id: 'a' });
  assert.deepStrictEqual(Object.keys(host.peers), []);
});

test(
  'join takes URL objects, alone and among others, and knows the host by the url that it advertises',
  options,
  async (t) => {
    const host = await listening(t);
    const foreign = vm.runInNewContext(
      '({ href, pathname, search, hash, [Symbol.toStringTag]: "URL" })',
      new URL(host.url)
    );
    for (const url of [new URL(host.url), [new URL(host.url)], ['ws://127.0.0.1:1', new URL(host.url)]]) {
      const other = new ours.Host();
      t.after(() => other.close());
      assert.strictEqual(await other.join(url), other);
      assert.deepStrictEqual(Object.keys(other.connections), [host.url]);
      await other.join(foreign);
      await other.close();
    }
    for (const url of [{}, 1, { href: host.url }]) {
      await assert.rejects(new ours.Host().join(url), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      await assert.rejects(new ours.Host().join([url]), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
  }
);

test('a timeout of Infinity waits for as long as it takes', options, async (t) => {
  const forever = { requestTimeout: Infinity, reconnectTimeout: Infinity };
  const { a, b, peer } = await pair(t, forever, forever);
  const waits = [];
  peer.handle(() => new Promise((resolve) => waits.push(resolve)));
  const asks = a.create('asks');
  const requests = [
    asks.request('b', 1, { timeout: Infinity }),
    asks.request('b', 2),
    a
      .create('local')
      .handle(() => new Promise((resolve) => waits.push(resolve)))
      .request('local', 3, { timeout: Infinity })
  ];
  await until(() => waits.length === 3);
  assert.deepStrictEqual(await a.list('*').then((ids) => ids.sort()), ['asks', 'b', 'local']);
  for (const resolve of waits) resolve('done');
  assert.deepStrictEqual(await Promise.all(requests), ['done', 'done', 'done']);
  const gone = new Promise((resolve) => b.once('disconnect', resolve));
  const back = new Promise((resolve) => b.once('reconnect', resolve));
  b.config({ reconnectDelay: 1 });
  sever(b);
  await gone;
  await back;
  assert.strictEqual(await b.drain({ timeout: Infinity }), b);
});
