'use strict';
// Arguments and options that throw when they are looked at, such as getters and proxies: each method refuses them with a code and the
// cause, and nothing has changed.

const test = require('node:test');
const assert = require('node:assert');
const { ours, listening, until } = require('./support.js');

const evil = new Error('evil');
const throws = () => {
  throw evil;
};
const kept = () => {};

/** @typedef {(host: any, given: any) => any} Call */

/** Methods that read options: which ones each reads. @type {Record<string, {names: string[], call: Call}>} */
const READERS = {
  'new Host': { names: ['maxPayload', 'dial', 'mine'], call: (host, given) => new ours.Host(given) },
  config: { names: ['maxPayload', 'networkId', 'mine'], call: (host, given) => host.config(given) },
  subscribe: { names: ['exact', 'group'], call: (host, given) => host.subscribe('c', kept, given) },
  unsubscribe: { names: ['exact', 'group'], call: (host, given) => host.unsubscribe('kept', kept, given) },
  watch: { names: ['signal'], call: (host, given) => host.watch('*', given) },
  send: { names: ['offline'], call: (host, given) => host.send('p', 'elsewhere', 1, given) },
  'peer.send': { names: ['offline'], call: (host, given) => host.get('p').send('elsewhere', 1, given) },
  request: { names: ['timeout', 'signal'], call: (host, given) => host.get('p').request('p', 1, given) },
  broadcast: { names: ['self'], call: (host, given) => host.broadcast('p', '*', 1, given) },
  'peer.broadcast': { names: ['self'], call: (host, given) => host.get('p').broadcast('*', 1, given) },
  drain: { names: ['timeout'], call: (host, given) => host.drain(given) },
  listen: { names: ['bind'], call: (host, given) => new ours.Host().listen('127.0.0.1', 0, given) }
};

const trapped = (/** @type {string} */ name, object = {}) =>
  Object.defineProperty({ ...object }, name, { get: throws, enumerable: true });

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** @type {Record<string, () => any>} */
const PROXIES = {
  'a proxy that throws': () => new Proxy({}, new Proxy({}, { get: throws })),
  'a revoked proxy': revoked
};

/** @type {Record<string, () => any>} */
const TEXTLESS = {
  ...PROXIES,
  'an object without prototype': () => Object.create(null),
  'an object whose toString throws': () => ({ toString: throws })
};

/** What is called, and how. @type {[string, (host: any) => any][]} */
const CASES = [];

for (const [method, { names, call }] of Object.entries(READERS)) {
  for (const name of names) CASES.push([`${method}: the option ${name} throws`, (host) => call(host, trapped(name))]);
  for (const [what, make] of Object.entries(PROXIES))
    CASES.push([`${method}: options are ${what}`, (host) => call(host, make())]);
}

for (const method of ['watch', 'request']) {
  const { call } = READERS[method];
  const signal = { aborted: false, addEventListener() {}, removeEventListener() {} };
  for (const name of Object.keys(signal))
    CASES.push([
      `${method}: the signal's ${name} cannot be read`,
      (host) => call(host, { signal: trapped(name, signal) })
    ]);
  const deaf = { ...signal, addEventListener: throws };
  CASES.push([`${method}: the signal cannot be listened to`, (host) => call(host, { signal: deaf })]);
}

for (const [what, make] of Object.entries(TEXTLESS)) {
  for (const [how, given] of Object.entries({
    plain: undefined,
    exact: { exact: true },
    'in a group': { group: 'g' }
  })) {
    CASES.push([`subscribe, ${how}: the channel is ${what}`, (host) => host.subscribe(make(), kept, given)]);
    CASES.push([`unsubscribe, ${how}: the channel is ${what}`, (host) => host.unsubscribe(make(), kept, given)]);
  }
  CASES.push([`publish: the channel is ${what}`, (host) => host.publish(make(), 1)]);
  CASES.push([`create: the id is ${what}`, (host) => host.create(make())]);
  for (const method of ['on', 'once', 'off', 'prependListener', 'emit', 'listeners', 'listenerCount'])
    CASES.push([`${method}: the event is ${what}`, (host) => host[method](make(), kept)]);
  CASES.push([`removeAllListeners: the event is ${what}`, (host) => host.removeAllListeners(make())]);
}

for (const [what, make] of Object.entries({
  ...PROXIES,
  'a peer whose id throws': () => trapped('id', { send() {}, on() {} }),
  'a peer whose methods throw': () => trapped('send', { id: 'p' })
}))
  CASES.push([`remove: the peer is ${what}`, (host) => host.remove(make())]);

const promises = { resolve: kept, reject: kept };
for (const [what, given] of Object.entries({
  'networkId that throws when it is written': { networkId: { toJSON: throws } },
  'Promise whose resolve cannot be read': {
    Promise: Object.defineProperty(kept.bind(null), 'resolve', { get: throws })
  },
  'Promise whose resolve throws': { Promise: Object.assign(kept.bind(null), promises, { resolve: throws }) }
})) {
  CASES.push([`new Host: an option ${what}`, () => new ours.Host({ maxPayload: 70000, ...given })]);
  CASES.push([`config: an option ${what}`, (host) => host.config({ maxPayload: 70000, ...given })]);
}

/** What stands in a host that nothing may change. */
async function stateOf(/** @type {any} */ host) {
  const { heard } = host;
  const before = heard.length;
  host.publish('kept', before);
  const peers = await host.list();
  assert.ok(host.send('p', 'p', 1) instanceof ours.Promise);
  return [host.config(), peers, Object.keys(host.channels), host.channels.kept.length, heard.length - before];
}

for (const [what, call] of CASES) {
  test(`${what}: it is refused with a code and the cause, and nothing has changed`, async (t) => {
    const host = await listening(t);
    await (await listening(t)).join(host.url); // so that peers may be elsewhere
    const heard = /** @type {any} */ (host.heard = []);
    host.on('error', (/** @type {any} */ err) => assert.fail(err));
    host.create('p').handle(() => 'reply');
    host.subscribe('kept', kept);
    host.subscribe('kept', (/** @type {any} */ message) => {
      /** @type {any[]} */ (heard).push(message);
    });
    const before = await stateOf(host);
    await assert.rejects(
      async () => call(host),
      (/** @type {any} */ err) => {
        assert.ok(err instanceof TypeError, String(err));
        assert.strictEqual(/** @type {any} */ (err).code, 'ERR_INVALID_ARG_VALUE');
        if (err.cause !== evil) assert.match(String(err.cause), /^TypeError: Cannot /);
        return true;
      }
    );
    assert.deepStrictEqual(await stateOf(host), before);
  });
}

test('what an object makes of itself is read once', async (t) => {
  const host = await listening(t);
  const other = await listening(t);
  await other.join(host.url);
  let reads = 0;
  const name = () => ({
    toString() {
      if (reads++ > 0) throw evil;
      return 'news';
    }
  });
  const heard = /** @type {any[]} */ ([]);
  other.subscribe('news', (/** @type {any} */ message) => heard.push(message));
  await other.ready();
  host.publish(name(), 'well');
  await until(() => heard.length > 0);
  reads = 0;
  host.on(name(), (/** @type {any} */ what) => heard.push(what));
  host.emit('news', 'event');
  assert.deepStrictEqual([heard, reads], [['well', 'event'], 1]);
});

test('options and channels of which nothing throws are taken as ever', async (t) => {
  const host = await listening(t);
  const bare = Object.assign(Object.create(null), { maxPayload: 70000 });
  assert.strictEqual(host.config(bare).maxPayload, 70000);
  const channel = { toString: () => 'news' };
  host.subscribe(channel, kept, Object.create(null));
  host.subscribe(7, kept);
  assert.deepStrictEqual(Object.keys(host.channels), ['7', 'news']);
  host.unsubscribe('news', kept);
  host.unsubscribe('7', kept);
  assert.deepStrictEqual(Object.keys(host.channels), []);
  const here = Symbol('here');
  host.subscribe(here, kept);
  host.unsubscribe(here, kept);
  assert.strictEqual(host.channels[here], undefined);
});

test('unsubscribe with a host.channels that throws says so', () => {
  const host = new ours.Host();
  host.channels = new Proxy({}, { get: throws });
  assert.throws(() => host.unsubscribe('c', kept), { code: 'ERR_BAD_PROPERTY', cause: evil });
});
