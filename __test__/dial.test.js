'use strict';
// Which urls a host dials of which others have told: none that are nearer than who told, and what the option `dial` says.

const test = require('node:test');
const assert = require('node:assert');
const net = require('node:net');
const os = require('node:os');
const { Member } = require('./bounds/member.js');
const { listening, ours, until } = require('./support.js');

const { Host } = ours;

/** An address of this machine that is neither a loopback nor a link-local one. */
const outer = Object.values(os.networkInterfaces())
  .flat()
  .find((at) => at?.family === 'IPv4' && !at.internal && !at.address.startsWith('169.254.'))?.address;

/** Connections that come from there to a loopback address look as if they came from another machine. */
const skip = outer === undefined && 'this machine has no other address than loopback ones';

/** A server at all addresses that notes who asks it for what, and does not answer. */
async function silent(t) {
  /** @type {Set<net.Socket>} */
  const open = new Set();
  /** @type {string[]} */
  const asked = [];
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.once('data', (data) => asked.push(`${socket.localAddress} ${String(data).split(' ')[1]}`));
  });
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, () => resolve(undefined)));
  return { asked, open, port: /** @type {net.AddressInfo} */ (server.address()).port };
}

/**
 * A host, and how a member joins it, from that address. Members end first: they would not answer the host's goodbye.
 * @param {any} t
 * @param {any} [options]
 */
async function hosting(t, options) {
  /** @type {Member[]} */
  const joined = [];
  t.after(() => joined.forEach((member) => member.end()));
  const host = await listening(t, options);
  const join = async (/** @type {string | undefined} */ from = undefined) => {
    const one = await Member.join(host.url, { from });
    joined.push(one);
    return one;
  };
  return { host, join };
}

/** @param {...string} urls */
const members = (...urls) => ({ members: urls.map((url) => ({ url })) });

/** What could not be reached, and why. */
function unreachable(host) {
  /** @type {Record<string, string>} */
  const told = {};
  host.on('unreachable', (url, err) => {
    told[url] = err.code;
  });
  return told;
}

/** @param {any} host */
function errorsOf(host) {
  /** @type {any[]} */
  const errors = [];
  host.on('error', (err) => errors.push(err));
  return errors;
}

/** @param {number} port */
const near = (port) => [
  `ws://127.0.0.1:${port}/a`,
  `ws://localhost:${port}/b`,
  `ws://[::ffff:127.0.0.1]:${port}/c`,
  `ws://0.0.0.0:${port}/d`,
  `ws://127.1:${port}/e`
];

test('who comes from a loopback address may tell of loopback addresses', { timeout: 30_000 }, async (t) => {
  const { join } = await hosting(t);
  const { asked, port } = await silent(t);
  const member = await join();
  await member.tell('members', members(...near(port)));
  await until(() => asked.length === 5);
});

test(
  'who comes from elsewhere has no loopback or link-local address dialled, whatever it tells and however it is spelt',
  { timeout: 30_000, skip },
  async (t) => {
    const { host, join } = await hosting(t);
    const told = unreachable(host);
    const { asked, open, port } = await silent(t);
    const member = await join(outer);
    const urls = [...near(port), `ws://[::1]:${port}`, `ws://[::]:${port}`, `ws://169.254.169.254:${port}/latest`];
    await member.tell('members', members(...urls));
    await member.ask('join', { url: `ws://127.0.0.1:${port}/join` });
    await member.ask('hosts', { urls: [`ws://127.0.0.1:${port}/hosts`] });
    await until(() => Object.keys(told).length === urls.length);
    assert.deepStrictEqual(told, Object.fromEntries(urls.map((url) => [url, 'ERR_DIAL_NOT_ALLOWED'])));
    await until(() => member.told.some(({ id, error }) => id === 'q1' && /ws:\/\/127.*dial/.test(error)));
    // Its own address is another matter. By then the others would have been there.
    await member.tell('members', members(`ws://${outer}:${port}/own`));
    await until(() => asked.length > 0);
    assert.deepStrictEqual([asked.map((line) => line.replace('::ffff:', '')), open.size], [[`${outer} /own`], 1]);
  }
);

test('somebody near may tell of what somebody elsewhere has told in vain', { timeout: 30_000, skip }, async (t) => {
  const { host, join } = await hosting(t);
  const told = unreachable(host);
  const { asked, port } = await silent(t);
  const url = `ws://127.0.0.1:${port}`;
  const far = await join(outer);
  await far.tell('members', members(url));
  await until(() => url in told);
  const member = await join();
  await member.tell('members', members(url));
  await until(() => asked.length === 1);
});

test('what is no url of a host is not dialled', { timeout: 30_000 }, async (t) => {
  const { join } = await hosting(t);
  const { asked, port } = await silent(t);
  const member = await join();
  const at = `127.0.0.1:${port}`;
  const bad = [`http://${at}/a`, `ws://user:secret@${at}/b`, `ws://${at}/c#d`, `tcp://${at}/e`, at];
  await member.tell('members', members(...bad));
  await member.tell('hosts', { urls: bad });
  for (const url of bad) await member.ask('join', { url });
  await until(() => member.told.filter(({ error }) => /Invalid url/.test(error)).length === bad.length);
  await member.tell('members', members(`ws://${at}/good`));
  await until(() => asked.length > 0);
  assert.deepStrictEqual(
    asked.map((line) => line.split(' ')[1]),
    ['/good']
  );
});

test(
  'the option dial decides about each url that others tell of, and about no other',
  { timeout: 30_000 },
  async (t) => {
    /** @type {string[]} */
    const urls = [];
    const dial = (/** @type {string} */ url) => {
      urls.push(url);
      return url.endsWith('/yes');
    };
    const { host, join } = await hosting(t, { dial });
    const told = unreachable(host);
    const { asked, port } = await silent(t);
    const other = await listening(t);
    await host.join(other.url);
    assert.deepStrictEqual(urls, []);
    const member = await join(outer);
    const at = `ws://127.0.0.1:${port}`;
    await member.tell('members', members(`${at}/no`));
    await until(() => `${at}/no` in told);
    assert.strictEqual(told[`${at}/no`], 'ERR_DIAL_NOT_ALLOWED');
    await member.tell('members', members(`${at}/yes`));
    await until(() => asked.length === 1);
    assert.deepStrictEqual(urls, [`${at}/no`, `${at}/yes`]);
    host.config({ dial: () => true });
    await member.tell('members', members(`${at}/maybe`));
    await until(() => asked.length === 2);
    assert.deepStrictEqual(urls.length, 2);
  }
);

test('a function that throws or returns no boolean allows nothing, and is reported', { timeout: 30_000 }, async (t) => {
  const failure = new Error('no idea');
  const answers = [
    () => {
      throw failure;
    },
    async () => true,
    () => Promise.reject(failure),
    () => 1,
    () => undefined
  ];
  const expected = [
    ['ERR_LISTENER_THREW', /The option "dial" threw: no idea/],
    ['ERR_BAD_PROPERTY', /What the option "dial" returned cannot be used: .* got a promise/],
    ['ERR_BAD_PROPERTY', /got a promise/],
    ['ERR_BAD_PROPERTY', /got number/],
    ['ERR_BAD_PROPERTY', /got undefined/]
  ];
  for (const [n, [code, text]] of expected.entries()) {
    const { host, join } = await hosting(t, { dial: answers[n] });
    const [errors, told] = [errorsOf(host), unreachable(host)];
    const { open, port } = await silent(t);
    const member = await join();
    const url = `ws://127.0.0.1:${port}`;
    await member.tell('members', members(url));
    await until(() => url in told);
    assert.deepStrictEqual([told[url], open.size], ['ERR_DIAL_NOT_ALLOWED', 0]);
    assert.deepStrictEqual([errors.length, errors[0].code], [1, code]);
    assert.match(errors[0].message, /** @type {RegExp} */ (text));
    if (n === 0) assert.strictEqual(errors[0].cause, failure);
    else assert.ok(errors[0].cause instanceof TypeError);
    // It goes on.
    member.end();
    const other = await listening(t);
    await other.join(host.url);
  }
});

test(
  'hosts meet if all of them allow it, and reach each other by a relay if one does not',
  { timeout: 30_000 },
  async (t) => {
    for (const allows of [true, false]) {
      const first = await listening(t);
      const second = await listening(t);
      await second.join(first.url);
      second.create('peer').on('message', () => {});
      /** @type {string[]} */
      const urls = [];
      const third = new Host({ dial: (url) => urls.push(url) > 0 && allows });
      t.after(() => third.close());
      await third.join(first.url);
      assert.strictEqual(urls[0], second.url);
      await until(() => third.hosts().length === 2);
      await third.send('me', 'peer', 'hello');
      assert.ok(urls.every((url) => url === second.url));
    }
  }
);

test('a host that is closed while it is asked dials nothing, and close ends', { timeout: 30_000 }, async (t) => {
  const { open, port } = await silent(t);
  /** @type {Promise<any> | undefined} */
  let closed;
  const dial = () => {
    closed = host.close();
    return true;
  };
  const { host, join } = await hosting(t, { dial });
  const member = await join();
  await member.tell('members', members(`ws://127.0.0.1:${port}`));
  await until(() => closed !== undefined);
  member.end();
  await closed;
  assert.strictEqual(open.size, 0);
});

test('the option dial is a function', () => {
  for (const dial of [true, null, 'ws://host', {}]) {
    const expected = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /"dial" must be a function/ };
    assert.throws(() => new Host({ dial }), expected);
    assert.throws(() => new Host().config({ dial }), expected);
  }
  const dial = () => true;
  assert.strictEqual(new Host({ dial }).config().dial, dial);
  assert.doesNotThrow(() => new Host({ dial: undefined }));
});
