'use strict';
// Hosts whose programs are their enemies: whatever stands in `peers`, `channels`, `addresses`, `connections`, `timers` and `options`, whatever is
// thrown, sent, given as an id, an option, a signal or a callback. After each act ordinary messages arrive, lists are complete, and in the end
// both hosts close. HOSTILE_ROUNDS says how many rounds, HOSTILE_SEED with which one to begin; a round that fails says its seed.

const test = require('node:test');
const assert = require('node:assert');
const { original, closeOriginal, freePort, listening, ours } = require('./support.js');

const ROUNDS = Number(process.env.HOSTILE_ROUNDS ?? 8);
const FIRST = Number(process.env.HOSTILE_SEED ?? 1);
const ACTS = 30;

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function numbersFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const bomb = () => {
  throw new Error('bomb');
};
const dud = () => {
  throw Object.create(null);
};

/** An object of which that member cannot be read. */
const mined = (name, object = {}) =>
  Object.defineProperty(object, name, { get: dud, enumerable: true, configurable: true });

function revoked(target = {}) {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function detached() {
  const bytes = new Uint8Array(9);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** Throws every second time. */
function moody(value) {
  let calls = 0;
  return () => (++calls % 2 === 0 ? bomb() : value);
}

/** A promise that has members of its own. */
const promiseWith = (members) => Object.assign(Promise.resolve(1), members);

/** Things that programs do not expect either. */
const STRANGE = [
  () => mined('id'),
  () => mined('emit'),
  () => mined('then'),
  () => mined('toJSON'),
  () => mined('length'),
  () => mined('stack', new Error('x')),
  () => mined('message', mined('code', new Error('x'))),
  () => mined('constructor', Promise.resolve(1)),
  () => mined(Symbol.toPrimitive),
  () => revoked(),
  () => revoked([]),
  () => revoked(() => {}),
  () => revoked(new Error('x')),
  () => new Proxy({}, new Proxy({}, { get: bomb })),
  () => new Proxy(() => {}, new Proxy({}, { get: dud })),
  () => Object.freeze({}),
  () => Object.freeze([() => {}]),
  () => Object.create(null),
  () => Object.create(Error.prototype),
  () => Object.create(ours.Peer.prototype),
  () => ({ toJSON: bomb }),
  () => ({ toJSON: dud }),
  () => ({ toJSON: moody('x') }),
  () => ({ toJSON: () => undefined }),
  () => ({ toJSON: () => ({ toString: 1 }) }),
  () => ({ toString: bomb }),
  () => ({ toString: moody('moody') }),
  () => ({ toString: 1, valueOf: 1 }),
  () => ({ [Symbol.toPrimitive]: dud }),
  () => ({ id: 10n }),
  () => ({ id: Symbol('x'), emit: bomb }),
  () => ({ id: { toJSON: moody(1) }, emit: dud }),
  () => ({ id: 'x', emit: 5 }),
  () => ({ id: revoked() }),
  () => ({ then: dud }),
  () => ({ then: bomb }),
  () => ({
    then: (resolve, reject) => {
      reject(Object.create(null));
      reject(1);
      resolve(2);
    }
  }),
  () => promiseWith({ then: dud }),
  () => promiseWith({ constructor: { [Symbol.species]: bomb } }),
  () => promiseWith({ then: 5, finally: bomb }),
  () => mined('then', Promise.resolve(1)),
  () => detached(),
  () => new Uint8Array(0),
  () => mined('length', new Uint8Array(3)),
  () => new Map([[1, 2]]),
  () => new Date(NaN),
  // eslint-disable-next-line no-sparse-arrays
  () => [, mined('x')],
  () => {
    const circle = {};
    return Object.assign(circle, { circle });
  },
  () => '\ud800',
  () => '__proto__',
  () => 'x'.repeat(70000),
  () => JSON.parse('{"__proto__":1,"toString":2}'),
  () => 'constructor',
  () => 10n,
  () => Symbol('x'),
  () => () => {},
  () => bomb,
  () => dud,
  () =>
    class {
      constructor() {
        bomb();
      }
    },
  () => NaN,
  () => -0,
  () => null,
  () => undefined,
  () => true,
  () => 5
];

const PLACES = ['peers', 'channels', 'addresses', 'connections', 'timers', 'options'];
const EVENTS = [
  'join',
  'leave',
  'disconnect',
  'reconnect',
  'unreachable',
  'error',
  'drop',
  'gap',
  'slow',
  'drain',
  'stalled'
];

/** One round: two hosts, at times with one of 0.4.0 between them. */
class Round {
  constructor(seed, a, b, other) {
    this.random = numbersFrom(seed);
    this.hosts = [a, b];
    this.other = other;
    this.log = [];
    this.number = 0;
    /** What puts things back that nothing ordinary could work with. */
    this.undo = [];
    this.outcomes = [];
  }

  below(n) {
    return Math.floor(this.random() * n);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  strange() {
    return this.pick(STRANGE)();
  }

  /** A callback that does something strange. A promise that is rejected is for a handler only: elsewhere nobody handles it. */
  callback(promises = false) {
    const thing = this.strange();
    const plain = [
      () => {
        throw thing;
      },
      () => thing
    ];
    return this.pick(
      promises
        ? [
            ...plain,
            async () => {
              throw thing;
            },
            async () => thing,
            () => new Promise(() => {})
          ]
        : plain
    );
  }

  /** What it gives may be a promise, of which only a code is expected; what it throws was thrown at the program itself. */
  try(act) {
    let result;
    try {
      result = act();
    } catch {
      return;
    }
    if (result instanceof ours.Promise)
      this.outcomes.push(
        result.then(
          () => null,
          (err) => err
        )
      );
  }

  act() {
    const acts = Object.getOwnPropertyNames(Round.prototype).filter(
      (name) => name.startsWith('act') && name.length > 3
    );
    const name = this.pick(acts);
    this.log.push(name);
    if (process.env.HOSTILE_TRACE) process.stderr.write(`${name}\n`);
    this[name](this.pick(this.hosts), this.hosts[this.below(2)]);
  }

  actStand(host) {
    const place = this.pick(PLACES);
    const before = host[place];
    const undo = () => {
      this.try(() => {
        host[place] = before;
      });
    };
    this.log.push(place);
    // Without its peers and subscribers nothing ordinary can reach the host; without its options it waits for a minute.
    if (['peers', 'channels', 'options'].includes(place)) this.undo.push(undo);
    else if (this.below(2) === 0) this.later = undo;
    this.try(() => {
      host[place] = this.strange();
    });
  }

  actEntry(host) {
    const place = this.pick(PLACES);
    const key = this.pick([
      'x',
      '10',
      'news.*',
      'ws://127.0.0.1:1',
      '__proto__',
      'then',
      'reconnectDelay',
      'maxIdLength'
    ]);
    const before = this.below(2) === 0 ? Object.getOwnPropertyDescriptor(Object(host[place]), key) : undefined;
    this.log.push(place, key);
    this.try(() => {
      if (this.below(3) === 0) mined(key, host[place]);
      else host[place][key] = this.strange();
    });
    // What an option makes of ids that are longer than one character is no trouble, but what was asked for.
    if (key === 'maxIdLength' || before)
      this.undo.push(() => {
        this.try(() => {
          delete host[place][key];
        });
      });
  }

  actFreeze(host) {
    const place = this.pick(['addresses', 'connections', 'timers', 'options']);
    this.try(() => Object.freeze(host[place]));
  }

  actCallbacks(host) {
    const callback = this.callback();
    this.try(() => host.on(this.pick(EVENTS), callback));
    this.try(() => host.subscribe(this.pick(['c', '**']), callback));
    this.try(() => host.subscribe('jobs', callback, { group: 'g' }));
    const peer = host.get('own') ?? host.create('own');
    this.try(() => peer.on('message', callback).handle(this.callback(true)));
    this.undo.push(() => {
      for (const event of EVENTS) host.removeAllListeners(event);
      this.try(() => host.unsubscribe('**', callback));
    });
  }

  actEmit(host) {
    const peer = host.get('own') ?? host.create('own');
    this.try(() => {
      peer.emit = this.pick([bomb, dud, this.strange()]);
    });
    if (this.below(3) === 0)
      this.try(() => {
        peer.id = this.strange();
      });
  }

  actIds(host, other) {
    if (this.other !== undefined) return; // it dies of channels like `constructor`
    const id = this.strange();
    for (const call of [
      () => host.create(id),
      () => host.send('x', id, 1),
      () => host.send(id, 'own', 1),
      () => host.find(id),
      () => host.get(id),
      () => host.remove(id),
      () => host.publish(id, 1),
      () => host.broadcast(id, 'own', 1),
      () => other.send(id, 'own', 1),
      () => host.subscribe(id, () => {}),
      () => host.list(id),
      () => other.find(id),
      () => host.join(id),
      () => host.join([id]),
      () => host.unsubscribe(id, id)
    ])
      this.try(call);
  }

  actMessages(host, other) {
    const [message, more] = [this.strange(), this.strange()];
    const peer = host.get('asks') ?? host.create('asks');
    for (const call of [
      () => host.send('x', 'own', message),
      () => peer.request('own', message),
      () => other.publish('c', message),
      () => host.publish('jobs', message),
      () => peer.broadcast('own', message),
      () => other.send('x', 'own', more),
      () => host.publish('c', more),
      () => peer.send('well', more)
    ])
      this.try(call);
  }

  actOptions(host) {
    const name = this.pick([
      'timeout',
      'signal',
      'offline',
      'self',
      'exact',
      'group',
      'networkId',
      'Promise',
      'requestTimeout',
      'reconnectDelay',
      'maxPayload'
    ]);
    const given = this.pick([() => mined(name), () => this.strange(), () => ({ [name]: this.strange() })])();
    const signal = mined(this.pick(['aborted', 'reason', 'addEventListener', 'removeEventListener']), {
      aborted: false,
      reason: 1,
      addEventListener() {},
      removeEventListener() {}
    });
    const peer = host.get('asks') ?? host.create('asks');
    for (const call of [
      () => peer.request('own', 1, given),
      () => host.send('x', 'own', 1, given),
      () => host.watch('*', given).return(),
      () => peer.broadcast('own', 1, given),
      () => host.subscribe('c', () => {}, given),
      () => peer.request('own', 1, { signal }),
      () => peer.request('none', 1, { signal, timeout: 1 }),
      () => host.watch('*', { signal }).return(),
      () => new ours.Host(given),
      () => host.listen('127.0.0.1', 0, given)
    ])
      this.try(call);
  }

  actWarnings() {
    const { emitWarning } = process;
    const { prepareStackTrace } = Error;
    if (this.below(2) === 0) process.emitWarning = bomb;
    else Error.prepareStackTrace = bomb;
    this.undo.push(() => {
      process.emitWarning = emitWarning;
      Error.prepareStackTrace = prepareStackTrace;
    });
    for (const host of this.hosts) {
      this.try(() => host.send('x', 'own', 1));
      this.try(() => host.send('x', 'none', 1));
    }
  }

  actOther(host) {
    if (this.other === undefined) return;
    this.outcomes.push(
      this.other.send('x', 'own', 1).then(
        () => null,
        () => null
      )
    );
    this.other.publish('c', { from: 'the other' });
    this.try(() => host.send('x', 'others', this.strange()));
  }

  /** Ordinary things go on. */
  async check() {
    /** @type {any[]} */
    let outcomes;
    try {
      outcomes = await within('what was begun', Promise.all(this.outcomes.splice(0)));
    } finally {
      for (const undo of this.undo.splice(0).reverse()) undo();
    }
    for (const err of outcomes)
      if (err !== null) assert.strictEqual(typeof err?.code, 'string', 'rejected without code');
    const [a, b] = this.hosts;
    for (const [host, other] of [
      [a, b],
      [b, a]
    ]) {
      const id = `well-${++this.number}`;
      const heard = [];
      const hear = (from, message) => {
        heard.push(message);
      };
      other.create(id).on('message', hear);
      assert.strictEqual(await within('a send', host.send('x', id, 'sent')), null);
      const published = new Promise((resolve) => {
        other.subscribe(id, resolve);
      });
      await within('ready', other.ready());
      host.publish(id, 'published');
      assert.strictEqual(await within('a publish', published), 'published');
      assert.deepStrictEqual(heard, ['sent']);
      assert.ok((await within('a list', host.list())).includes(id), 'a list');
      assert.deepStrictEqual(await within('a list by pattern', host.list(id)), [id]);
      other.remove(id);
      delete other.channels[id];
    }
    this.later?.();
    this.later = undefined;
  }
}

/** A promise that has to end soon. */
function within(what, promise) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} does not end`)), 10000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function play(t, seed) {
  const limits = { requestTimeout: 1000 };
  const [a, b] = [await listening(t, limits), await listening(t, limits)];
  let other;
  if (seed % 4 === 0) {
    other = new original.Host();
    await other.listen('127.0.0.1', await freePort());
    other.create('others');
    await other.join(a.url);
    t.after(() => closeOriginal(other));
  }
  await b.join(a.url);
  const round = new Round(seed, a, b, other);
  try {
    for (let n = 0; n < ACTS; n++) {
      round.act();
      await round.check();
    }
    if (seed % 3 === 0) Object.freeze(a);
    round.actStand(b);
    assert.deepStrictEqual(await within('close', Promise.all([a.close(), b.close()])), [a, b]);
  } catch (err) {
    err.message = `HOSTILE_SEED=${seed} HOSTILE_ROUNDS=1: ${err.message}\nafter ${round.log.join(' ')}`;
    throw err;
  }
}

test(
  'whatever a program puts into its host, throws or sends: what is ordinary goes on',
  { timeout: 20000 + ROUNDS * 20000 },
  async (t) => {
    const loose = [];
    const note = (err) => {
      loose.push(err);
    };
    process.on('uncaughtException', note);
    for (let seed = FIRST; seed < FIRST + ROUNDS; seed++) {
      await play(t, seed);
      assert.deepStrictEqual(loose, [], `HOSTILE_SEED=${seed}`);
    }
    t.diagnostic(`${ROUNDS} rounds from seed ${FIRST}`);
  }
);
