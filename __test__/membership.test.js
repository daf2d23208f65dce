'use strict';
// Who is in the network: hosts(), the events about members, joining by seeds, dead members.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { ours: distribus, freePort, listening, until } = require('./support.js');

const options = { timeout: 60_000 };
const index = JSON.stringify(path.join(__dirname, '..'));
const EVENTS = ['join', 'leave', 'disconnect', 'reconnect'];

/**
 * Writes down what a host tells about its members, and whether it makes sense: each joins once and leaves once.
 * @param {any} host
 */
function watch(host) {
  const log = [];
  const members = new Map();
  for (const event of EVENTS) {
    host.on(event, (url, id) => {
      const name = id ?? url;
      assert.strictEqual(typeof name, 'string');
      const before = members.get(name);
      const expected = { join: undefined, reconnect: 'lost', disconnect: 'here', leave: before ?? 'somebody' }[event];
      const urls = Object.values(host.connections).map((connection) => connection.url);
      try {
        assert.strictEqual(before, expected, `${event} of ${name}`);
        if (event === 'join' || event === 'reconnect') assert.ok(urls.includes(url), `${event} before the connection`);
        const listed = host.hosts().find((member) => (member.id ?? member.url) === name);
        const here = { join: true, reconnect: true, disconnect: false, leave: undefined }[event];
        assert.deepStrictEqual(listed, here === undefined ? undefined : { url, id, connected: here });
      } catch (err) {
        log.failure ??= err;
      }
      if (event === 'leave') members.delete(name);
      else members.set(name, event === 'disconnect' ? 'lost' : 'here');
      log.push([event, url, id]);
    });
  }
  return log;
}

/** @param {any} log */
function check(log) {
  if (log.failure) throw log.failure;
}

const events = (log) => log.map(([event]) => event).join(' ');
const keys = (host) => Object.keys(host.connections);

/**
 * A listening host in a process of its own. Resolves with the process and its url.
 * @param {any} t
 * @param {string} [code]
 * @returns {Promise<{child: import('node:child_process').ChildProcess, url: string}>}
 */
async function elsewhere(t, code = '', port = 0, library = index) {
  const text = `const { Host } = require(${library});
    const host = new Host({ reconnectDelay: 20 });
    (async () => { await host.listen('127.0.0.1', ${port}); ${code}; console.log(host.url); })();`;
  const child = spawn(process.execPath, ['-e', text], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [data] = await once(child.stdout, 'data');
  return { child, url: String(data).trim() };
}

test('hosts() tells of each other host once, by both sides of a connection', options, async (t) => {
  const [one, two] = [await listening(t), await listening(t)];
  const client = new distribus.Host();
  t.after(() => client.close());
  assert.deepStrictEqual(one.hosts(), []);
  const [log] = [watch(one), watch(two)];
  await two.join(one.url);
  await client.join(two.url);
  await until(() => one.hosts().length === 2);
  const [first, second] = one.hosts();
  assert.deepStrictEqual([first.url, first.connected, second.url, second.connected], [two.url, true, null, true]);
  assert.match(first.id, /^[0-9a-f]{32}$/);
  assert.strictEqual(keys(one).includes(second.id), true);
  assert.deepStrictEqual(log, [
    ['join', two.url, first.id],
    ['join', null, second.id]
  ]);
  first.url = 'changed by the program';
  assert.strictEqual(one.hosts()[0].url, two.url);
  check(log);
});

test('a goodbye is a leave, and so is our own close, of everybody', options, async (t) => {
  const hosts = [await listening(t), await listening(t), await listening(t)];
  const logs = hosts.map(watch);
  await hosts[1].join(hosts[0].url);
  await hosts[2].join(hosts[0].url);
  await hosts[2].close();
  assert.strictEqual(events(logs[2]), 'join join leave leave');
  assert.deepStrictEqual(hosts[2].hosts(), []);
  await until(() => logs[0].length === 3 && logs[1].length === 3);
  assert.strictEqual(events(logs[0]), 'join join leave');
  assert.strictEqual(events(logs[1]), 'join join leave');
  assert.deepStrictEqual([logs[0][2][1], logs[1][2][1]], [logs[1][1][1], logs[0][1][1]]);
  logs.forEach(check);
});

test('a lost connection is a disconnect and a reconnect of the same host', options, async (t) => {
  const one = await listening(t);
  const two = await listening(t, { reconnectDelay: 20 });
  const logs = [watch(one), watch(two)];
  await two.join(one.url);
  one.connections[two.url].close();
  await until(() => logs.every((log) => log.length === 3));
  for (const log of logs) {
    assert.strictEqual(events(log), 'join disconnect reconnect');
    assert.deepStrictEqual(log[2].slice(1), log[0].slice(1));
  }
  logs.forEach(check);
});

test('a host that does not come back leaves: by the timeout, by hand, by close', options, async (t) => {
  for (const how of ['timeout', 'timer', 'close']) {
    const one = await listening(t, { reconnectDelay: 20, reconnectTimeout: how === 'timeout' ? 100 : 300_000 });
    const two = await listening(t, { reconnectTimeout: 100 });
    const logs = [watch(one), watch(two)];
    await one.join(two.url);
    // At that moment: it may leave before this test looks again.
    const lost = new Promise((resolve) =>
      one.once('disconnect', () => resolve(one.hosts().map(({ url, connected }) => [url, connected])))
    );
    two.server.close();
    assert.deepStrictEqual(await lost, [[logs[0][0][1], false]]);
    if (how === 'timer') {
      // The attempt may be under way: then there is no timer until it has failed.
      await until(() => Object.keys(one.timers).length === 1);
      one.timers[two.url].close();
    }
    if (how === 'close') await one.close();
    await until(() => logs[0].length === 3 && logs[1].length === 3);
    for (const log of logs) assert.strictEqual(events(log), 'join disconnect leave', how);
    logs.forEach(check);
  }
});

test('kill -9 is a disconnect; who is started in its place is a new member', options, async (t) => {
  const one = await listening(t, { reconnectDelay: 20 });
  const log = watch(one);
  const first = await elsewhere(t, `await host.join('${one.url}')`);
  first.child.kill('SIGKILL');
  await until(() => log.length === 2);
  assert.strictEqual(events(log), 'join disconnect');
  const { port } = new URL(first.url);
  await elsewhere(t, `await host.join('${one.url}')`, Number(port));
  await until(() => log.length === 4);
  assert.strictEqual(events(log), 'join disconnect leave join');
  assert.deepStrictEqual(
    log.map(([, url]) => url),
    Array(4).fill(first.url)
  );
  assert.deepStrictEqual([log[1][2], log[2][2]], [log[0][2], log[0][2]]);
  assert.notStrictEqual(log[3][2], log[0][2]);
  check(log);
});

test('a host that closes and listens again is a new member as well', options, async (t) => {
  const [one, two] = [await listening(t), await listening(t)];
  const log = watch(one);
  await two.join(one.url);
  const { port } = two;
  await two.close();
  await two.listen('127.0.0.1', port);
  await two.join(one.url);
  await until(() => log.length === 3);
  assert.strictEqual(events(log), 'join leave join');
  assert.notStrictEqual(log[2][2], log[0][2]);
  check(log);
});

test('two networks become one', options, async (t) => {
  const hosts = [];
  for (let i = 0; i < 8; i++) hosts.push(await listening(t));
  const logs = hosts.map(watch);
  for (let i = 0; i < 8; i++) if (i % 4 !== 0) await hosts[i].join(hosts[i < 4 ? 0 : 4].url);
  await hosts[2].join(hosts[7].url);
  await until(() => hosts.every((host) => host.hosts().length === 7));
  for (const log of logs) assert.strictEqual(events(log), Array(7).fill('join').join(' '));
  logs.forEach(check);
});

test('all join one and each other at the same moment, and each joins once', options, async (t) => {
  const hosts = [];
  for (let i = 0; i < 8; i++) hosts.push(await listening(t));
  const logs = hosts.map(watch);
  await Promise.all(hosts.flatMap((host) => hosts.map((other) => host.join(other.url))));
  await until(() => hosts.every((host) => host.hosts().length === 7));
  await Promise.all(hosts.map((host) => host.close()));
  for (const log of logs) {
    const joined = log.filter(([event]) => event === 'join').map(([, , id]) => id);
    const left = log.filter(([event]) => event === 'leave').map(([, , id]) => id);
    assert.strictEqual(joined.length, 7);
    assert.deepStrictEqual([...left].sort(), [...joined].sort());
  }
  logs.forEach(check);
});

test('a host behind two urls is one member', options, async (t) => {
  const one = new distribus.Host();
  t.after(() => one.close());
  await one.listen('localhost', 0);
  const two = await listening(t);
  const log = watch(two);
  await two.join(`ws://127.0.0.1:${one.port}`);
  await two.join(one.url);
  assert.strictEqual(two.hosts().length, 1);
  assert.strictEqual(events(log), 'join');
  check(log);
});

test('an original is a member without id', options, async (t) => {
  const one = await listening(t, { reconnectDelay: 20 });
  const log = watch(one);
  const other = await elsewhere(t, '', await freePort(), "'distribus-original'"); // it keeps timers for minutes
  await one.join(other.url);
  assert.deepStrictEqual(one.hosts(), [{ url: other.url, id: null, connected: true }]);
  one.connections[other.url].close();
  await until(() => log.length === 3);
  await one.close();
  assert.strictEqual(events(log), 'join disconnect reconnect leave');
  assert.ok(log.every(([, url, id]) => url === other.url && id === null));
  check(log);
});

test('a listener that throws is told to error, and disturbs nobody', options, async (t) => {
  const [one, two] = [await listening(t), await listening(t)];
  const errors = [];
  const reached = [];
  one.on('join', () => {
    throw new Error('mine');
  });
  one.on('join', (url) => reached.push(url));
  one.on('error', (err) => errors.push(err));
  await two.join(one.url);
  assert.deepStrictEqual(reached, [two.url]);
  assert.strictEqual(errors.length, 1);
  assert.strictEqual(errors[0].code, 'ERR_LISTENER_THREW');
  assert.match(errors[0].message, /'join'.*mine/);
  assert.strictEqual(errors[0].cause.message, 'mine');
});

test(
  'every trouble goes to the listeners of error; without one it becomes a warning, a few a second',
  options,
  async (t) => {
    const [one, two] = [await listening(t), await listening(t)];
    await two.join(one.url);
    one.create('r').on('message', () => {
      throw new Error('peer');
    });
    one.subscribe('c', () => {
      throw 'no Error';
    });
    const warnings = [];
    const onWarning = (warning) => warnings.push(warning);
    process.on('warning', onWarning);
    t.after(() => process.off('warning', onWarning));
    const errors = [];
    one.on('error', (err) => errors.push(err));
    for (let i = 0; i < 20; i++) assert.strictEqual(await two.send('s', 'r', i), undefined);
    two.publish('c', 1);
    await until(() => errors.length === 21);
    assert.ok(errors.every((err) => err instanceof Error && err.code === 'ERR_LISTENER_THREW'));
    assert.match(errors[0].message, /^A listener of peer r threw: peer$/);
    assert.match(errors[20].message, /^A subscriber of channel c threw: no Error$/);
    assert.strictEqual(errors[20].cause, 'no Error');
    one.publish('other', 1n);
    assert.strictEqual(errors[21].code, 'ERR_MESSAGE_NOT_SERIALIZABLE');
    assert.deepStrictEqual(warnings, []);

    one.removeAllListeners('error');
    one.on('error', () => {
      throw new Error('in the listener of error');
    });
    await two.send('s', 'r', 1);
    await until(() => warnings.length === 1);
    assert.match(warnings[0].message, /'error' threw: in the listener of error/);

    one.removeAllListeners('error');
    for (let i = 0; i < 20; i++) await two.send('s', 'r', i);
    one.publish('other', 1n);
    await until(() => warnings.length >= 2);
    assert.ok(warnings.length <= 3, `${warnings.length} warnings`);
  }
);

test('seeds: one that answers is enough, the others are tried again and joined', options, async (t) => {
  const one = await listening(t);
  const port = await freePort();
  const dead = `ws://127.0.0.1:${port}`;
  const host = await listening(t, { reconnectDelay: 20 });
  const log = watch(host);
  const unreachable = [];
  host.on('unreachable', (url, err) => unreachable.push([url, err.code]));
  assert.strictEqual(await host.join([dead, one.url, dead, host.url]), host);
  assert.strictEqual(host.hosts().length, 1);
  await until(() => unreachable.length > 0 && Object.keys(host.timers).length === 1);
  assert.deepStrictEqual(unreachable, [[dead, 'ECONNREFUSED']]);
  const late = new distribus.Host();
  t.after(() => late.close());
  await late.listen('127.0.0.1', port);
  await until(() => host.hosts().length === 2);
  await until(() => one.hosts().length === 2);
  assert.strictEqual(events(log), 'join join');
  assert.deepStrictEqual(keys(host).sort(), [one.url, dead].sort());
  check(log);
});

test('seeds: rejected when all have failed, with all errors', options, async (t) => {
  const host = new distribus.Host({ networkId: 'a' });
  const other = await listening(t, { networkId: 'b' });
  t.after(() => host.close());
  const dead = `ws://127.0.0.1:${await freePort()}`;
  host.on('unreachable', () => assert.fail('all have failed'));
  await assert.rejects(host.join([dead, other.url]), (err) => {
    assert.strictEqual(err.code, 'ERR_JOIN_FAILED');
    assert.ok(err.message.includes(dead) && err.message.includes('ECONNREFUSED'));
    assert.deepStrictEqual(
      err.errors.map((e) => [e.url, e.code]),
      [
        [dead, 'ECONNREFUSED'],
        [other.url, 'ERR_NETWORK_ID_MISMATCH']
      ]
    );
    return true;
  });
  assert.deepStrictEqual(Object.keys(host.timers), []);
  const waiting = host.join([dead, `ws://127.0.0.1:${(await silent(t)).port}`]);
  await Promise.all([assert.rejects(waiting, { code: 'ERR_HOST_CLOSED' }), host.close()]);
});

test('seeds: what is refused, and ports', options, async (t) => {
  const one = await listening(t);
  const host = await listening(t);
  await assert.rejects(host.join([]), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
  await assert.rejects(host.join([one.url, '']), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
  for (const bad of [1, null, undefined, {}]) {
    await assert.rejects(host.join([one.url, bad]), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
  assert.deepStrictEqual(host.hosts(), []);
  assert.strictEqual(await host.join([host.url]), host);
  assert.strictEqual(await host.join(['127.0.0.1'], one.port), host);
  assert.strictEqual(host.hosts().length, 1);
  assert.strictEqual(await host.join([one.url]), host);
});

/** A server that accepts connections and says nothing. */
async function silent(t) {
  const server = net.createServer((socket) => t.after(() => socket.destroy())).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return /** @type {net.AddressInfo} */ (server.address());
}

test('a member that cannot be dialled does not hold up a join, and is relayed', options, async (t) => {
  const one = await listening(t);
  const gone = await listening(t, { reconnectDelay: 20 });
  await gone.join(one.url);
  const { url } = gone;
  gone.server.close(); // it stays connected, because it has dialled, but nobody can dial it
  const host = new distribus.Host({ reconnectDelay: 20 });
  t.after(() => host.close());
  const log = watch(host);
  host.on('unreachable', (url) => assert.fail(`${url} is reported`));
  await host.join(one.url);
  await until(() => keys(host).length === 2);
  assert.deepStrictEqual(keys(host).sort(), [one.url, url].sort());
  gone.create('gone');
  assert.strictEqual(await host.find('gone'), url);
  await gone.close();
  await until(() => events(log).includes('leave'));
  assert.deepStrictEqual(keys(host), [one.url]);
  check(log);
});

/** Stops a process, and waits until all its threads stand still. */
async function freeze(child) {
  child.kill('SIGSTOP');
  const tasks = `/proc/${child.pid}/task`;
  const stopped = (task) => / T /.test(fs.readFileSync(`${tasks}/${task}/stat`, 'utf8'));
  await until(() => fs.readdirSync(tasks).every(stopped));
}

test(
  'a frozen member holds a join up for no longer than the handshake timeout',
  { ...options, skip: process.platform !== 'linux' },
  async (t) => {
    const one = await listening(t);
    const frozen = await elsewhere(t, `await host.join('${one.url}')`);
    await freeze(frozen.child);
    const host = await listening(t);
    const unreachable = new Promise((resolve) => host.once('unreachable', (url, err) => resolve([url, err.code])));
    const start = Date.now();
    await host.join(one.url);
    const took = Date.now() - start;
    assert.deepStrictEqual(await unreachable, [frozen.url, 'ERR_HANDSHAKE_TIMEOUT']);
    assert.ok(took < 9000, `the join was held up for ${took} ms`);
    assert.deepStrictEqual(keys(host), [one.url]);
    frozen.child.kill('SIGCONT');
    await until(() => host.hosts().length === 2);
  }
);

test('await using closes a host', { ...options, skip: Symbol.asyncDispose === undefined }, async (t) => {
  const one = await listening(t);
  const two = await listening(t);
  await two.join(one.url);
  assert.strictEqual(await two[Symbol.asyncDispose](), undefined);
  assert.strictEqual(two.server, null);
  await until(() => one.hosts().length === 0);
});

test('NODE_DEBUG=distribus tells what happens', options, async (t) => {
  const one = await listening(t);
  const text = `const { Host } = require(${index}); const host = new Host();
    const unreachable = new Promise((resolve) => host.on('unreachable', resolve));
    host.join(['${one.url}', 'ws://127.0.0.1:1']).then(() => unreachable).then(() => host.join('nonsense')).catch(() => host.close());`;
  const child = spawn(process.execPath, ['-e', text], {
    env: { ...process.env, NODE_DEBUG: 'distribus' },
    stdio: ['ignore', 'inherit', 'pipe']
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (data) => {
    log += data;
  });
  await once(child, 'close');
  for (const part of [
    `join of ${one.url} (id: `,
    'ws://127.0.0.1:1 is unreachable: ',
    'could not join nonsense',
    ': closing',
    `leave of ${one.url}`
  ]) {
    assert.ok(log.includes(part), `${part} is missing in:\n${log}`);
  }
});
