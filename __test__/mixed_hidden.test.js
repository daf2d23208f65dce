'use strict';
// Hosts that do not listen (h), in networks with listening ones (o) and with original hosts (O) that know peers by urls alone.

const assert = require('node:assert');
const eachInItsProcess = require('./own_process.js');

/** @type {Record<string, () => Promise<void>>} */
const cases = { reached, moved, passed, jobs };

eachInItsProcess(
  __filename,
  Object.keys(cases),
  (name) => `original hosts and hosts that do not listen: ${name}`,
  (name) => cases[name]()
);

/** @param {string} kinds */
async function network(kinds) {
  const { ours, original, freePort } = require('./support.js');
  const hosts = [];
  for (const kind of kinds) {
    const host = new (kind === 'O' ? original : ours).Host();
    if (kind !== 'h') await host.listen('127.0.0.1', await freePort());
    hosts.push(host);
  }
  for (const host of hosts.slice(1)) await host.join(hosts[0].url);
  return hosts;
}

/** @param {any} host @param {string} id */
function collecting(host, id) {
  /** @type {any[]} */
  const got = [];
  host.create(id).on('message', (/** @type {any} */ from, /** @type {any} */ message) => {
    got.push(`${from}: ${message}`);
    if (message === 'throw') throw new Error('thrown by a listener');
  });
  return got;
}

/** An original host, one that listens and one that does not come to it by themselves, finds and reaches the peers of the last. */
async function reached() {
  const { until } = require('./support.js');
  for (const kinds of ['ohO', 'oOh', 'ohoO', 'OohoO', 'ohhO']) {
    const hosts = await network(kinds);
    const hidden = hosts[kinds.lastIndexOf('h')];
    const got = collecting(hidden, 'inside');
    const listening = hosts.filter((_host, i) => kinds[i] === 'o').map((host) => host.url);
    for (const [i, host] of hosts.entries()) {
      if (kinds[i] !== 'O') continue;
      const url = await host.find('inside');
      assert.ok(listening.includes(url), `${kinds}: ${url}`);
      host.create('asks');
      got.length = 0;
      const sends = [];
      for (let n = 0; n < 100; n++) sends.push(host.send('asks', 'inside', n));
      assert.deepStrictEqual(new Set(await Promise.all(sends)), new Set([null]));
      assert.deepStrictEqual(
        got,
        Array.from({ length: 100 }, (_, n) => `asks: ${n}`)
      );
      // And the other way round, over a connection of their own.
      await until(() => host.url in hidden.connections);
      const answers = collecting(host, 'outside');
      assert.strictEqual(await hidden.send('inside', 'outside', 'well'), null);
      assert.deepStrictEqual(answers, ['inside: well']);
      host.remove('outside');
      host.remove('asks');
    }
    await Promise.all(hosts.map((host) => host.close()));
  }
}

/** What is not there is said not to be; a peer that has gone, and one that lives on another such host now. */
async function moved() {
  const { ours, until } = require('./support.js');
  const [open, hidden, old] = await network('ohO');
  const nobody = { message: 'Peer not found (id: nobody)' };
  await assert.rejects(Promise.resolve(old.find('nobody')), nobody);
  await assert.rejects(Promise.resolve(old.send('me', 'nobody', 1)), nobody);
  const got = collecting(hidden, 'inside');
  assert.strictEqual(await old.send('me', 'inside', 1), null);
  hidden.remove('inside');
  // An original host resolves with undefined when a peer is not where it was.
  const lost = () => Promise.resolve(old.send('me', 'inside', 'lost')).catch(() => undefined);
  assert.strictEqual(await lost(), undefined);
  const other = new ours.Host();
  await other.join(open.url);
  const there = collecting(other, 'inside');
  assert.strictEqual(await old.send('me', 'inside', 3), null);
  await hidden.close();
  await other.close();
  await until(() => Object.keys(open.connections).length === 1);
  assert.strictEqual(await lost(), undefined);
  assert.deepStrictEqual([got, there], [['me: 1'], ['me: 3']]);
  await old.close();
  await open.close();
}

/** How a message ended that was passed on. */
async function passed() {
  const [open, hidden, old] = await network('ohO');
  hidden.on('error', () => {});
  const got = collecting(hidden, 'inside');
  const result = await Promise.resolve(old.send('me', 'inside', 'throw')).catch(() => undefined);
  assert.strictEqual(result, undefined);
  assert.strictEqual(await old.send('me', 'inside', 'more'), null);
  // Large ones, many at once, in order.
  const large = 'x'.repeat(100_000);
  await Promise.all([1, 2, 3].map((n) => old.send('me', 'inside', n + large)));
  assert.deepStrictEqual(
    got.map((text) => text.slice(0, 9)),
    ['me: throw', 'me: more', 'me: 1xxxx', 'me: 2xxxx', 'me: 3xxxx']
  );
  await Promise.all([open, hidden, old].map((host) => host.close()));
}

/** What an original host publishes goes to one member of a group, on a host that it publishes to. */
async function jobs() {
  const { until } = require('./support.js');
  for (let round = 0; round < 4; round++) {
    // Most likely one that does not listen has the smallest id.
    const hosts = await network('Oohhh');
    const [old, open, ...hidden] = hosts;
    /** @type {any[]} */
    const got = [];
    for (const host of [open, ...hidden])
      host.subscribe('jobs', (/** @type {any} */ message) => got.push(message), { group: 'workers' });
    open.subscribe('end', () => got.push('end'));
    await Promise.all([open, ...hidden].map((host) => host.ready()));
    for (let n = 0; n < 10; n++) old.publish('jobs', n);
    old.publish('end');
    await until(() => got.includes('end'));
    assert.deepStrictEqual(got, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 'end']);
    await Promise.all(hosts.map((host) => host.close()));
  }
}
