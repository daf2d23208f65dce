'use strict';
// One bad value ends nothing: whatever a program's own objects do while events are applied, that one event fails, the program is told, and
// the next event is applied.

const test = require('node:test');
const assert = require('node:assert');
const { ours, listening, next, pair, until } = require('./support.js');

const options = { timeout: 20000 };

const bomb = () => {
  throw new Error('bomb');
};

/** An object of which that property cannot be read. */
const mined = (name, object = {}) =>
  Object.defineProperty(object, name, { get: bomb, enumerable: true, configurable: true });

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Things to throw that cannot be looked at. */
const UNSPEAKABLE = {
  'an error whose stack throws': () => mined('stack', new Error('x')),
  'an error whose message throws': () => mined('message', new Error('x')),
  'an error whose message is no text': () => Object.assign(new Error('x'), { message: Object.create(null) }),
  'an error with members that throw': () =>
    mined('toString', mined('name', mined('cause', mined('code', new Error('x'))))),
  'an object without prototype': () => Object.create(null),
  'a revoked proxy': revoked,
  'a proxy that throws at everything': () => new Proxy({}, new Proxy({}, { get: bomb })),
  'a symbol': () => Symbol('thrown'),
  nothing: () => undefined
};

/** Both directions work, lists are complete, and both hosts close. */
async function allIsWell(t, a, b) {
  const [one, two] = [a.create('well-a'), b.create('well-b')];
  const heard = [next(one), next(two)];
  assert.deepStrictEqual(await Promise.all([two.send('well-a', 1), one.send('well-b', 2)]), [null, null]);
  assert.deepStrictEqual(await Promise.all(heard), [
    { from: 'well-b', message: 1 },
    { from: 'well-a', message: 2 }
  ]);
  const published = new Promise((resolve) => {
    b.subscribe('well', resolve);
  });
  await b.ready();
  a.publish('well', 3);
  assert.strictEqual(await published, 3);
  for (const host of [a, b]) {
    for (const ids of [await host.list(), await host.list('*')]) {
      assert.ok(ids.includes('well-a') && ids.includes('well-b'), JSON.stringify(ids));
    }
  }
  await Promise.all([a.close(), b.close()]);
}

for (const [what, thing] of Object.entries(UNSPEAKABLE)) {
  test(`a listener that throws ${what} stops neither deliveries nor close`, options, async (t) => {
    const { a, b, peer } = await pair(t);
    const errors = [];
    b.on('error', (err) => {
      errors.push(err);
    });
    const throws = () => {
      throw thing();
    };
    peer.on('message', throws).handle(throws);
    b.subscribe('c', throws);
    b.subscribe('jobs', throws, { group: 'g' });
    await b.ready();
    assert.strictEqual(await a.send('a', 'b', 1), undefined);
    await assert.rejects(a.create('asks').request('b', 1), { code: 'ERR_HANDLER' });
    peer.handle(async () => {
      throw thing();
    });
    await assert.rejects(a.get('asks').request('b', 1), { code: 'ERR_HANDLER' });
    a.publish('c', 1);
    a.publish('jobs', 1);
    assert.deepStrictEqual(await a.broadcast('a', 'b', 1), { delivered: 0, failed: 1 });
    await until(() => errors.length >= 4);
    for (const err of errors) assert.strictEqual(err.code, 'ERR_LISTENER_THREW');
    b.removeAllListeners('error');
    // Without listeners for it, it becomes a warning; a listener for it that throws is no better than others.
    assert.strictEqual(await a.send('a', 'b', 1), undefined);
    b.on('error', throws).on('join', throws).on('leave', throws).on('disconnect', throws);
    assert.strictEqual(await a.send('a', 'b', 1), undefined);
    await allIsWell(t, a, b);
  });
}

test('deliveries go on while Error.prepareStackTrace throws, and what fails is rejected', options, async (t) => {
  const { a, b, peer } = await pair(t);
  peer.on('message', () => {
    throw new Error('x');
  });
  const results = [];
  try {
    Error.prepareStackTrace = bomb;
    const outcomes = [a.send('a', 'b', 1), a.send('a', 'missing', 1)].map((sent) =>
      sent.then(String, (err) => err.code)
    );
    for (const outcome of outcomes) results.push(await outcome);
  } finally {
    Error.prepareStackTrace = undefined;
  }
  assert.deepStrictEqual(results, ['undefined', 'ERR_PEER_NOT_FOUND']);
  await allIsWell(t, a, b);
});

/** What a program may do to `host.peers` by hand. */
const RESIDENTS = {
  'null among the peers': (host) => {
    host.peers.x = null;
  },
  'a peer whose id is a BigInt': (host) => {
    host.peers['10'] = Object.assign(new ours.Peer('10'), { id: 10n });
  },
  'a peer whose id is a symbol': (host) => {
    host.peers.x = Object.assign(new ours.Peer('x'), { id: Symbol('x') });
  },
  'a peer whose id throws when it is read': (host) => {
    host.peers.x = mined('id');
  },
  'a peer whose id throws when it is written': (host) => {
    host.peers.x = { id: { toJSON: bomb } };
  },
  'a peer whose id has no text': (host) => {
    host.peers.x = { id: Object.create(null) };
  },
  'a peer that is a revoked proxy': (host) => {
    host.peers.x = revoked();
  },
  'a place that throws when it is read': (host) => {
    mined('x', host.peers);
  }
};

for (const [what, act] of Object.entries(RESIDENTS)) {
  test(
    `${what}: left out of lists, watches and the directory, reported once, and all others are there`,
    options,
    async (t) => {
      const { a, b } = await pair(t);
      const errors = [];
      b.on('error', (err) => {
        errors.push(err);
      });
      act(b);
      for (const ids of [await a.list(), await a.list('*'), await b.list(), await b.list('**')])
        assert.deepStrictEqual(ids, ['b']);
      for (const host of [a, b]) {
        const watch = host.watch();
        assert.deepStrictEqual(await watch.next(), { value: { type: 'join', id: 'b' }, done: false });
        await watch.return();
      }
      const late = await listening(t);
      await late.join(a.url);
      assert.deepStrictEqual(await late.list(), ['b']);
      assert.deepStrictEqual(await late.broadcast('late', '*', 1), { delivered: 1, failed: 0 });
      assert.deepStrictEqual(
        errors.map((err) => err.code),
        what.startsWith('null') ? [] : [errors[0].code]
      );
      await late.close();
      await allIsWell(t, a, b);
    }
  );
}

/** What a program may put in the place of what a host shows. */
const PLACES = {
  null: () => null,
  'a frozen object': () => Object.freeze({}),
  'a revoked proxy': revoked,
  'a proxy that throws at everything': () => new Proxy({}, new Proxy({}, { get: bomb })),
  'a number': () => 5
};

for (const [what, thing] of Object.entries(PLACES)) {
  for (const name of ['addresses', 'connections', 'timers', 'peers', 'channels', 'options']) {
    test(`${what} in the place of host.${name}: the host works on without it, and closes`, options, async (t) => {
      const { a, b } = await pair(t);
      const before = b[name];
      const errors = [];
      b.on('error', (err) => {
        errors.push(err);
      });
      if (name === 'channels' && /proxy/.test(what))
        assert.throws(
          () => {
            b.channels = thing();
          },
          { code: 'ERR_BAD_PROPERTY' }
        );
      else b[name] = thing();
      const late = await listening(t);
      late.create('late').on('message', () => {});
      await late.join(a.url);
      if (name !== 'peers') assert.strictEqual(await b.send('b', 'late', 1), null);
      const refused = await a.send('a', 'b', 1).catch((err) => err.code);
      assert.strictEqual(refused, name === 'peers' ? 'ERR_PEER_NOT_FOUND' : null);
      b.publish('c', 1);
      await Promise.all([
        b.list(),
        b.list('*'),
        a.list('*'),
        b.find('late'),
        b.ready(),
        b.join(late.url),
        b.broadcast('b', '*', 1)
      ]);
      await late.close();
      for (const err of errors) assert.match(err.code, /^ERR_(BAD_PROPERTY|LISTENER_THREW)$/);
      if (name === 'peers' || name === 'channels') b[name] = before;
      await allIsWell(t, a, b);
    });
  }
}
