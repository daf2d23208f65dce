'use strict';
// Hosts that vanish without a word, and programs that stand still.

const { fork } = require('node:child_process');

if (process.argv[2] === 'child') {
  child(JSON.parse(process.argv[3]));
} else {
  tests();
}

/** A process with a host that joins another one, and is busy when it is told to be. */
async function child({ kind, url, options }) {
  const { Host } = kind === 'original' ? require('distribus-original') : require('..');
  const host = new Host(options);
  if (kind === 'original') {
    await host.listen('127.0.0.1', await require('./support.js').freePort());
  } else {
    for (const event of ['disconnect', 'stalled']) host.on(event, () => process.send({ event }));
  }
  host.create('child').on('message', () => {});
  process.on('message', ({ busy }) => {
    if (busy) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, busy);
    process.send({ event: 'idle' });
  });
  process.on('disconnect', () => process.exit());
  await host.join(url);
  process.send({ event: 'joined' });
}

function tests() {
  const test = require('node:test');
  const assert = require('node:assert');
  const { ours, besideOriginal, listening, until } = require('./support.js');
  const { nativeOptions } = require('../lib/host/options.js');

  const options = { timeout: 60_000 };
  const posix = { ...options, skip: process.platform === 'win32' };
  const quick = { heartbeatInterval: 100, heartbeatTimeout: 1000 };

  /** A host, and another one in a process of its own. `here` and `there` are their events. */
  async function beside(t, ourOptions, theirs, kind = 'ours') {
    const host = await listening(t, ourOptions);
    const here = [];
    for (const event of ['disconnect', 'reconnect', 'stalled']) {
      host.on(event, (url, id, ms) => here.push({ event, url, id, ms }));
    }
    const process = fork(__filename, ['child', JSON.stringify({ kind, url: host.url, options: theirs })]);
    t.after(() => process.kill('SIGKILL'));
    const there = [];
    process.on('message', ({ event }) => there.push(event));
    await until(() => there.includes('joined'));
    const [member] = host.hosts();
    return { host, process, here, there, member };
  }

  const count = (events, wanted) => events.filter((e) => (e.event ?? e) === wanted).length;

  /** Has the program of a child stand still, and waits until it goes on. */
  async function stall({ process, there }, busy) {
    const before = count(there, 'idle');
    process.send({ busy });
    await until(() => count(there, 'idle') > before);
  }

  /** Waits until so many bytes have come, which is what beats and pongs are made of. */
  async function hear(host, bytes) {
    const before = host.stats().bytesIn;
    await until(() => host.stats().bytesIn >= before + bytes);
  }

  test('bad options are refused before anything changes', options, () => {
    const host = new ours.Host({ heartbeatInterval: 100, heartbeatTimeout: 200 });
    const before = host.config();
    const refused = (bad, code) =>
      assert.throws(() => host.config({ mine: 1, ...bad }), { name: 'TypeError', code }, JSON.stringify(bad));
    for (const name of ['heartbeatInterval', 'heartbeatTimeout']) {
      for (const value of ['1', null, {}, true]) refused({ [name]: value }, 'ERR_INVALID_ARG_TYPE');
      for (const value of [-1, NaN, Infinity, 2 ** 50]) refused({ [name]: value }, 'ERR_INVALID_ARG_VALUE');
    }
    refused({ heartbeatInterval: 200 }, 'ERR_INVALID_ARG_VALUE');
    refused({ heartbeatTimeout: 100 }, 'ERR_INVALID_ARG_VALUE');
    assert.throws(() => new ours.Host({ heartbeatInterval: 24_000 }), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.deepStrictEqual(host.config(), before);
    host.config({ heartbeatInterval: 0, heartbeatTimeout: 0 });
    host.config({ heartbeatInterval: 1000, heartbeatTimeout: 1001 });
  });

  test('by default a host beats every 8 s, and 24 s of silence are too much', options, () => {
    const inForce = (host) => {
      const { heartbeatInterval, heartbeatTimeout } = JSON.parse(nativeOptions(host));
      return [heartbeatInterval, heartbeatTimeout];
    };
    assert.deepStrictEqual(inForce(new ours.Host()), [8000, 24000]);
    assert.deepStrictEqual(inForce(new ours.Host({ heartbeatInterval: 0 })), [0, 24000]);
    assert.deepStrictEqual(
      inForce(new ours.Host({ heartbeatInterval: undefined, heartbeatTimeout: 9000 })),
      [8000, 9000]
    );
  });

  for (const kind of ['ours', 'original']) {
    test(`a host that is frozen is lost (${kind})`, posix, async (t) => {
      const theirs = kind === 'ours' ? { ...quick, reconnectDelay: 50 } : {};
      const { host, process, here, there, member } = await beside(t, { ...quick, reconnectDelay: 50 }, theirs, kind);
      await hear(host, 20);
      process.kill('SIGSTOP');
      await until(() => count(here, 'disconnect') === 1);
      assert.deepStrictEqual(host.hosts(), [{ ...member, connected: false }]);
      process.kill('SIGCONT');
      await until(() => count(here, 'reconnect') === 1);
      assert.deepStrictEqual(host.hosts(), [member]);
      assert.strictEqual(await host.send('a', 'child', 1), null);
      assert.strictEqual(count(here, 'disconnect'), 1);
      assert.ok(count(there, 'disconnect') <= 1);
    });
  }

  test(
    'a host whose program is busy is not lost, whether or not it is busy for longer than the timeout',
    options,
    async (t) => {
      const pair = await beside(t, quick, quick);
      const { host, here, there, member } = pair;
      await stall(pair, 600);
      await stall(pair, 2500);
      await until(() => count(here, 'stalled') > 0);
      const { url, id, ms } = here.find(({ event }) => event === 'stalled');
      assert.deepStrictEqual({ url, id }, { url: member.url, id: member.id });
      assert.ok(ms >= 100 && ms < 2500, String(ms));
      // Once for each time, not with each of some 30 beats; a loaded machine may bring one more.
      assert.ok(count(here, 'stalled') < 8, String(count(here, 'stalled')));
      await hear(host, 100);
      assert.strictEqual(await host.send('a', 'child', 1), null);
      const before = count(here, 'stalled');
      await stall(pair, 600);
      await until(() => count(here, 'stalled') > before);
      assert.strictEqual(count(here, 'disconnect'), 0);
      assert.strictEqual(count(there, 'disconnect'), 0);
    }
  );

  test('a host whose own program is busy blames nobody', options, async (t) => {
    const { host, here, there } = await beside(t, quick, quick);
    await hear(host, 20);
    const end = performance.now() + 2500;
    while (performance.now() < end);
    await hear(host, 200);
    assert.strictEqual(count(here, 'disconnect'), 0);
    assert.strictEqual(await host.send('a', 'child', 1), null);
    // It was told to the other one.
    await until(() => count(there, 'stalled') > 0);
    assert.strictEqual(count(there, 'disconnect'), 0);
  });

  test('an original host stays connected', options, async (t) => {
    const [one, two] = await besideOriginal(t);
    const lost = [];
    two.on('disconnect', (url) => lost.push(url));
    two.config({ heartbeatInterval: 50, heartbeatTimeout: 500 });
    // Pongs have two bytes.
    await hear(two, 60);
    assert.deepStrictEqual(lost, []);
    one.create('p').on('message', () => {});
    assert.strictEqual(await two.send('a', 'p', 1), null);
  });

  test('so does one that does not beat, or seldom', options, async (t) => {
    for (const theirs of [{ heartbeatInterval: 0 }, {}]) {
      const { host, here } = await beside(t, { heartbeatInterval: 50, heartbeatTimeout: 500 }, theirs);
      await hear(host, 200);
      assert.strictEqual(count(here, 'disconnect'), 0);
      assert.strictEqual(await host.send('a', 'child', 1), null);
    }
  });
}
