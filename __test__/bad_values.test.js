'use strict';
// Values that cannot be used: each is refused with a code, before anything has changed.

const test = require('node:test');
const assert = require('node:assert');
const { ours, listening, pair, until } = require('./support.js');

const options = { timeout: 20000 };

const bomb = () => {
  throw Object.create(null);
};

/** What JSON cannot carry. */
const UNTELLABLE = {
  'a BigInt': 10n,
  'a symbol': Symbol('id'),
  'a function': () => {},
  'an object that throws when it is written': { toJSON: bomb },
  'an object that throws when it is read as text': { toString: bomb },
  'an object without prototype': Object.create(null),
  'an object that is written as nothing': { toJSON: () => undefined },
  'an object that holds itself': Object.assign([], { 0: 1n })
};

const typeError = (err) => {
  assert.ok(err instanceof TypeError, String(err));
  assert.match(/** @type {any} */ (err).code, /^ERR_INVALID_ARG_(TYPE|VALUE)$/);
  return true;
};

for (const [what, id] of Object.entries(UNTELLABLE)) {
  test(
    `${what} is no id: create throws, what returns a promise is rejected, and nothing has changed`,
    options,
    async (t) => {
      const { a, b } = await pair(t);
      assert.throws(() => a.create(id), typeError);
      assert.strictEqual(a.get(id), null);
      a.remove(id);
      await assert.rejects(a.send('a', id, 1), typeError);
      await assert.rejects(a.send(id, 'b', 1), typeError);
      await assert.rejects(a.find(id), typeError);
      await assert.rejects(a.create('asks').request(id, 1), typeError);
      await assert.rejects(a.broadcast(id, '*', 1), typeError);
      assert.deepStrictEqual((await b.list()).sort(), ['asks', 'b']);
      const watch = b.watch('*');
      assert.strictEqual((await watch.next()).value.id, 'b');
      assert.strictEqual((await watch.next()).value.id, 'asks');
      await watch.return();
      assert.strictEqual(await a.send('a', 'b', 1), null);
    }
  );
}

test('ids of every other kind keep their type, and are listed elsewhere as JSON has them', options, async (t) => {
  const { a, b } = await pair(t);
  const ids = [undefined, null, true, '', 7, 1.5, { name: 1 }, [1, 'x']];
  for (const id of ids) assert.strictEqual(a.create(id).id, id);
  // What is undefined has no JSON: it is the id null there, which is listed once.
  assert.deepStrictEqual(
    (await b.list()).filter((id) => id !== 'b'),
    [7, null, true, '', 1.5, { name: 1 }, [1, 'x']]
  );
});

test('a peer that is removed by a BigInt is gone for other hosts as well', options, async (t) => {
  const { a, b } = await pair(t);
  a.create('10').on('message', () => {});
  assert.strictEqual(await b.send('b', '10', 1), null);
  a.remove(10n);
  await assert.rejects(b.send('b', '10', 1), { code: 'ERR_PEER_NOT_FOUND' });
});

test(
  'bytes that are gone, and what throws when it is written, are refused with a code and the cause',
  options,
  async (t) => {
    const { a, b, peer } = await pair(t);
    const detached = new Uint8Array(8);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const hostile = class extends Uint8Array {
      static get [Symbol.species]() {
        return bomb();
      }
    };
    const refused = (err) => {
      assert.strictEqual(err.code, 'ERR_MESSAGE_NOT_SERIALIZABLE');
      assert.ok(err instanceof Error && 'cause' in err);
      return true;
    };
    const asks = a.create('asks');
    peer.handle((from, message) => (message === 'detached' ? detached : { toJSON: bomb }));
    for (const message of [
      detached,
      { toJSON: bomb },
      {
        get x() {
          return bomb();
        }
      }
    ]) {
      await assert.rejects(a.send('a', 'b', message), refused);
      await assert.rejects(asks.request('b', message), refused);
      await assert.rejects(asks.broadcast('b', message), refused);
      const told = new Promise((resolve) => {
        a.once('error', resolve);
      });
      assert.strictEqual(a.publish('c', message), true);
      refused(await told);
    }
    b.on('error', () => {});
    for (const message of ['detached', 'throws'])
      await assert.rejects(asks.request('b', message), { code: 'ERR_HANDLER' });
    assert.strictEqual(await a.send('a', 'b', hostile.from([1, 2])), null);
    assert.strictEqual(await a.send('a', 'b', 'well'), null);
  }
);

test('undefined options are as if they were not given, and null stands for no options', options, async (t) => {
  const names = [
    'networkId',
    'reconnectTimeout',
    'reconnectDelay',
    'reconnectDecay',
    'requestTimeout',
    'offline',
    'Promise',
    'maxPayload',
    'maxIdLength',
    'maxQueueBytes',
    'maxInFlight',
    'maxAddresses',
    'maxSubscriptions',
    'maxConnections',
    'maxPendingHandshakes',
    'maxStrangerBytes',
    'maxBufferBytes',
    'handshakeTimeout',
    'heartbeatInterval',
    'heartbeatTimeout'
  ];
  const host = new ours.Host({ requestTimeout: 5 });
  t.after(() => host.close());
  const before = host.config();
  for (const name of names) assert.deepStrictEqual(host.config({ [name]: undefined }), before, name);
  assert.deepStrictEqual(host.config({ mine: undefined }), { ...before, mine: undefined });
  const peer = host.create('p');
  peer.on('message', () => {}).handle(() => 'reply');
  assert.strictEqual(await peer.request('p', 1, { timeout: undefined, signal: undefined }), 'reply');
  assert.strictEqual(await peer.request('p', 1, null), 'reply');
  assert.strictEqual(await peer.send('p', 1, { offline: undefined }), null);
  assert.deepStrictEqual(await peer.broadcast('p', 1, { self: undefined }), { delivered: 0, failed: 0 });
  assert.deepStrictEqual(await peer.broadcast('p', 1, null), { delivered: 0, failed: 0 });
  for (const none of [undefined, null, { signal: undefined }]) void host.watch('*', none).return();
  for (const none of [undefined, null, { exact: undefined, group: undefined }]) host.subscribe('c', () => {}, none);
  assert.strictEqual(host.channels.c.length, 3);
  await host.listen('127.0.0.1', 0, { bind: undefined });
  await host.drain({ timeout: undefined });
});

test('the options of reconnecting are numbers, as 0.4.0 takes them also as texts, and anything else is refused', () => {
  const host = new ours.Host();
  for (const name of ['reconnectTimeout', 'reconnectDelay', 'reconnectDecay']) {
    const before = host.config();
    for (const bad of [NaN, -1, 'soon', '', '-1', null, true, {}, [], () => {}, 5n, Symbol('x')]) {
      assert.throws(() => host.config({ mine: 1, [name]: bad }), typeError, `${name}: ${String(bad)}`);
    }
    assert.deepStrictEqual(host.config(), before);
    for (const fine of [1, 0.5, '20', 1000]) assert.strictEqual(host.config({ [name]: fine })[name], fine);
  }
  assert.throws(() => host.config({ reconnectDecay: 0 }), typeError);
  assert.throws(() => host.config({ reconnectDelay: Infinity }), typeError);
  assert.strictEqual(host.config({ reconnectTimeout: Infinity, reconnectDelay: 0 }).reconnectTimeout, Infinity);
});

test('a host is lost and looked for as options say that are texts', options, async (t) => {
  const a = await listening(t);
  const b = await listening(t, { reconnectTimeout: '40', reconnectDelay: '5' });
  const { url } = a;
  await b.join(url);
  const log = [];
  b.on('disconnect', () => {
    log.push('disconnect');
  });
  const left = new Promise((resolve) => {
    b.once('leave', resolve);
  });
  a.server.close();
  assert.strictEqual(await left, url);
  assert.deepStrictEqual(log, ['disconnect']);
});

test(
  'a url that is none rejects join with a TypeError, alone and among others, and nobody has been joined',
  options,
  async (t) => {
    const a = await listening(t);
    const host = await listening(t);
    host.on('join', () => assert.fail('nobody is joined'));
    const invalid = { name: 'TypeError', code: 'ERR_INVALID_URL' };
    for (const bad of [
      'not a url',
      'ws://',
      'http://localhost:1',
      'ws:/localhost:1',
      'ws://localhost:70000',
      'ws://a b'
    ]) {
      await assert.rejects(host.join(bad), invalid, bad);
      await assert.rejects(host.join([bad]), invalid, bad);
      await assert.rejects(host.join([a.url, bad]), invalid, bad);
    }
    assert.deepStrictEqual([Object.keys(host.timers), host.hosts()], [[], []]);
  }
);

test(
  'a url that cannot be dialled yet rejects join at once, alone and among others, and is never tried again',
  options,
  async (t) => {
    const a = await listening(t);
    const host = await listening(t);
    host.on('join', () => assert.fail('nobody is joined'));
    const unsupported = {
      code: 'ERR_TLS_UNSUPPORTED',
      message: /^wss:\/\/ is not supported yet, use ws:\/\/ \(url: wss:/
    };
    const url = 'wss://127.0.0.1:1';
    for (const join of [url, [url], [a.url, url]]) await assert.rejects(host.join(join), unsupported);
    await assert.rejects(host.join([a.url, 'wss://user:secret@127.0.0.1:1']), (err) => !err.message.includes('secret'));
    assert.deepStrictEqual([Object.keys(host.timers), host.hosts()], [[], []]);
  }
);

test('ids, channels, patterns and groups that are too long are refused by every method alike', options, async (t) => {
  const { a, b, peer } = await pair(t, { maxIdLength: 10 });
  const long = 'x'.repeat(11);
  const tooLong = { name: 'RangeError', code: 'ERR_ID_TOO_LONG' };
  const alone = new ours.Host({ maxIdLength: 10 });
  for (const host of [a, alone]) {
    const errors = [];
    host.on('error', (err) => {
      errors.push(err);
    });
    const own = host.create('own');
    assert.throws(() => host.create(long), tooLong);
    assert.throws(() => host.create(12345678901), tooLong);
    assert.throws(() => host.create({ name: long }), tooLong);
    assert.throws(() => host.subscribe(long, () => {}), tooLong);
    assert.throws(() => host.subscribe('jobs', () => {}, { group: long }), tooLong);
    assert.throws(() => host.publish(long, 1), tooLong);
    assert.throws(() => host.watch(long), tooLong);
    await Promise.all(
      [
        host.send('own', long, 1),
        host.find(long),
        host.list(long),
        own.request(long, 1),
        own.send(long, 1),
        own.broadcast(long, 1),
        host.broadcast(long, '*', 1)
      ].map((refused) => assert.rejects(refused, tooLong))
    );
    assert.strictEqual(host.get(long), null);
    host.remove(long);
    assert.deepStrictEqual([Object.keys(host.channels), errors], [[], []]);
  }
  await assert.rejects(a.send(long, 'b', 1), tooLong);
  const heard = [];
  b.subscribe('0123456789', (message) => {
    heard.push(message);
  });
  await b.ready();
  a.publish('0123456789', 1);
  await until(() => heard.length === 1);
  assert.strictEqual(await a.send('own', peer.id, 1), null);
});

test('options and arguments that throw when they are read reject with a code', options, async (t) => {
  const { a } = await pair(t);
  const own = a.create('own');
  const mined = (name) => Object.defineProperty({}, name, { get: bomb, enumerable: true });
  const signal = (name) =>
    Object.defineProperty({ aborted: false, addEventListener() {}, removeEventListener() {} }, name, { get: bomb });
  for (const refused of [
    () => a.send('own', 'b', 1, mined('offline')),
    () => own.request('b', 1, mined('timeout')),
    () => own.request('b', 1, { signal: signal('aborted') }),
    () => own.request('b', 1, { signal: signal('addEventListener') }),
    () => own.request('b', 1, { signal: { aborted: false, addEventListener: bomb, removeEventListener() {} } }),
    () => own.broadcast('b', 1, mined('self')),
    () => a.drain(mined('timeout')),
    () => a.join(Object.defineProperty(['ws://127.0.0.1:1'], 0, { get: bomb })),
    () => new ours.Host().listen('127.0.0.1', 0, mined('bind'))
  ])
    await assert.rejects(refused(), (err) => typeof err.code === 'string', String(refused));
  // Nothing has lost its place.
  assert.deepStrictEqual(
    await Promise.all([a.send('own', 'b', 1), a.send('own', 'none', 1).catch((err) => err.code)]),
    [null, 'ERR_PEER_NOT_FOUND']
  );
});

test('a network id that JSON cannot carry is a bad value like any other, and nothing has changed', () => {
  const circular = {};
  circular.itself = circular;
  const host = new ours.Host({ networkId: 'before' });
  for (const networkId of [
    10n,
    () => {},
    Symbol('id'),
    circular,
    {
      toJSON() {
        throw new Error('no');
      }
    }
  ]) {
    const expected = {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message: /^The option "networkId" must be something that JSON can carry, got /
    };
    assert.throws(() => host.config({ networkId, requestTimeout: 5 }), expected);
    assert.throws(() => new ours.Host({ networkId }), expected);
  }
  assert.equal(host.networkId, 'before');
  assert.equal(host.config().requestTimeout, undefined);
});
