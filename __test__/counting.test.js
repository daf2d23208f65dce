'use strict';
// What is counted, and limits that are counted in messages: compared with what the program itself has seen.

const test = require('node:test');
const assert = require('node:assert');
const { ours, besideOriginal, listening, pair, sever, until } = require('./support.js');

const options = { timeout: 30_000 };

/** Under which outcome a rejected send or request is counted. */
const OUTCOME_OF = {
  ERR_LISTENER: 'threw',
  ERR_HANDLER: 'threw',
  ERR_NO_HANDLER: 'noHandler',
  ERR_PEER_NOT_FOUND: 'notFound',
  ERR_PEER_UNREACHABLE: 'unreachable',
  ERR_OVERLOADED: 'overloaded',
  ERR_MESSAGE_TOO_LARGE: 'tooLarge',
  ERR_ID_TOO_LONG: 'tooLarge',
  ERR_MESSAGE_NOT_SERIALIZABLE: 'notSerializable',
  ERR_REQUEST_NOT_SUPPORTED: 'notSupported',
  ERR_DELIVERY_UNKNOWN: 'unknown',
  ERR_REQUEST_TIMEOUT: 'timeout',
  ABORT_ERR: 'aborted',
  ERR_HOST_CLOSED: 'closed',
  ERR_HOST_DRAINING: 'closed'
};

/** Counts, beside a host, what its program calls and what becomes of it. */
class Tally {
  constructor(host) {
    this.host = host;
    this.sent = 0;
    this.settled = 0;
    this.outcomes = Object.fromEntries(Object.keys(host.stats().outcomes).map((name) => [name, 0]));
  }

  /** @param {Promise<any>} promise of a send or a request */
  watch(promise, asks = false) {
    this.sent++;
    const count = (name) => {
      this.settled++;
      this.outcomes[name]++;
    };
    return promise.then(
      (value) => {
        count(asks ? 'replied' : value === null ? 'delivered' : 'threw');
      },
      (err) => {
        count(OUTCOME_OF[err.code] ?? `no outcome: ${err}`);
      }
    );
  }

  send(...args) {
    return this.watch(this.host.send(...args));
  }

  request(peer, ...args) {
    return this.watch(peer.request(...args), true);
  }

  /** The host counts the same. */
  check() {
    const { sent, outcomes, pending } = this.host.stats();
    assert.deepStrictEqual({ sent, outcomes }, { sent: this.sent, outcomes: this.outcomes });
    const settled = Object.values(outcomes).reduce((a, b) => a + b);
    assert.strictEqual(settled + pending, sent, 'every send and request has one outcome, or is pending');
    assert.strictEqual(pending, this.sent - this.settled);
  }
}

/** Numbers below `most`, the same for the same seed. */
function randomOf(seed) {
  let state = seed;
  return (most) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor(state / 65536) % most;
  };
}

for (const seed of [1, 2, 3]) {
  test(
    `every send and request ends in one outcome, and stats() count it there (mixture ${seed})`,
    options,
    async (t) => {
      const limits = { maxPayload: 65_536, maxIdLength: 100, maxInFlight: 500, requestTimeout: 20_000 };
      const { a, b, peer } = await pair(t, limits, { reconnectDelay: 50 });
      const tally = new Tally(a);
      tally.sent = tally.settled = tally.outcomes.delivered = 1; // by pair()
      const asker = a.create('a');
      b.on('error', () => {});
      peer.on('message', (from, message) => {
        if (message === 'throw') throw new Error('oops');
      });
      peer.handle((from, message) => {
        if (message === 'throw') throw new Error('oops');
        return message === 'never' ? new Promise(() => {}) : message;
      });
      b.create('mute');
      const circular = {};
      circular.self = circular;
      const kinds = [
        () => tally.send('a', 'b', 1),
        () => tally.send('a', 'b', 'throw'),
        () => tally.send('a', 'nobody', 1),
        () => tally.send('a', 'b', circular),
        () => tally.send('a', 'b', 'x'.repeat(70_000)),
        () => tally.send('a', 'x'.repeat(101), 1),
        () => tally.request(asker, 'b', 1),
        () => tally.request(asker, 'b', 'throw'),
        () => tally.request(asker, 'b', circular),
        () => tally.request(asker, 'mute', 1),
        () => tally.request(asker, 'nobody', 1),
        () => tally.request(asker, 'b', 'never', { timeout: 1 }),
        () => tally.request(asker, 'b', 1, { signal: AbortSignal.abort() }),
        () => {
          const controller = new AbortController();
          const done = tally.request(asker, 'b', 'never', { signal: controller.signal });
          controller.abort();
          return done;
        },
        // Not counted: neither is a message to another host.
        () => a.broadcast('a', 'b', 1),
        () => {
          a.publish('c', 1);
        },
        () => a.send('b', 'a', 1),
        () => assert.rejects(asker.request('b', 1, { timeout: -1 }), TypeError)
      ];
      const random = randomOf(seed);
      for (let turn = 0; turn < 20; turn++) {
        const all = [];
        for (let n = random(100); n >= 0; n--) all.push(kinds[random(kinds.length)]());
        if (turn % 5 === 0)
          for (let n = 0; n < 2000; n++) all.push(n % 2 ? tally.send('a', 'b', n) : tally.request(asker, 'b', n));
        if (turn % 7 === 3) sever(a);
        await Promise.all(all);
        tally.check();
        assert.strictEqual(a.stats().pending, 0);
      }
      const unanswered = tally.request(asker, 'b', 'never');
      const last = tally.send('a', 'b', 1);
      assert.strictEqual(a.stats().pending, 2);
      await last;
      tally.check();
      const draining = a.drain({ timeout: 1 }).catch(() => {});
      const refused = tally.send('a', 'b', 1);
      await Promise.all([unanswered, refused, draining]);
      tally.check();
      await tally.send('a', 'b', 'after the end');
      tally.check();
      for (const name of [
        'delivered',
        'threw',
        'replied',
        'noHandler',
        'notFound',
        'overloaded',
        'tooLarge',
        'notSerializable',
        'timeout',
        'aborted',
        'closed'
      ]) {
        assert.ok(a.stats().outcomes[name] > 0, `${name} is counted`);
      }
    }
  );
}

test('outcomes of sends to a lost host and requests to a 0.4.0 host are counted', options, async (t) => {
  const { a, b } = await pair(t, { reconnectDelay: 60_000 }, { reconnectDelay: 60_000 });
  const tally = new Tally(a);
  tally.sent = tally.settled = tally.outcomes.delivered = 1;
  sever(b);
  await until(() => Object.keys(a.connections).length === 0);
  await tally.send('a', 'b', 1);
  const waits = tally.send('a', 'b', 1, { offline: 'queue' });
  tally.check();
  await a.close();
  await waits;
  tally.check();
  assert.strictEqual(a.stats().outcomes.unreachable, 1);
  const [one, two] = await besideOriginal(t);
  one.create('theirs').on('message', () => {});
  const beside = new Tally(two);
  await beside.request(two.create('x'), 'theirs', 1);
  await beside.send('x', 'theirs', 1);
  beside.check();
  assert.strictEqual(two.stats().outcomes.notSupported, 1);
});

test('a reconnect is counted on both sides, as often as the event comes', options, async (t) => {
  const { a, b } = await pair(t, { reconnectDelay: 20 }, { reconnectDelay: 20 });
  const seen = new Map([
    [a, 0],
    [b, 0]
  ]);
  for (const host of seen.keys())
    host.on('reconnect', () => {
      seen.set(host, seen.get(host) + 1);
    });
  for (let n = 1; n <= 3; n++) {
    sever(b);
    await until(() => [...seen.values()].every((count) => count === n));
    for (const host of seen.keys()) assert.strictEqual(host.stats().reconnects, n);
  }
});

/** How many sends are handed over at once: a multiple of it leaves in the turn, before anything can be acknowledged. */
const HANDED_OVER = 256;

for (const maxInFlight of [1, 2, 100, 1000]) {
  const total = 12 * HANDED_OVER;
  test(
    `maxInFlight ${maxInFlight} takes exactly as many of ${total} sends, requests and publishes made in one turn`,
    options,
    async (t) => {
      const { a, b, peer } = await pair(t, { maxInFlight });
      let received = 0;
      peer.on('message', () => {
        received++;
      });
      const send = () => a.send('a', 'b', 1);
      const codes = (all) =>
        Promise.all(
          all.map((p) =>
            p.then(
              () => 'fine',
              (err) => err.code
            )
          )
        );
      const count = (codes, code) => codes.filter((c) => c === code).length;
      const sends = await codes(Array.from({ length: total }, send));
      assert.strictEqual(count(sends, 'fine'), maxInFlight);
      assert.strictEqual(count(sends, 'ERR_OVERLOADED'), total - maxInFlight);
      assert.strictEqual(received, maxInFlight);
      assert.deepStrictEqual(
        sends.slice(0, maxInFlight).filter((code) => code !== 'fine'),
        [],
        'the first ones are taken'
      );
      assert.strictEqual(a.stats().outcomes.overloaded, total - maxInFlight);

      peer.handle((from, message) => message);
      const asker = a.create('asker');
      const requests = await codes(Array.from({ length: total }, (_, n) => asker.request('b', n)));
      assert.strictEqual(count(requests, 'fine'), maxInFlight);

      let [dropped, gaps] = [0, 0];
      const heard = [];
      a.on('drop', (url, channel, n) => {
        dropped += n;
      });
      b.on('gap', (url, n) => {
        gaps += n;
      });
      b.subscribe('c', (n) => {
        heard.push(n);
      });
      await b.ready();
      await until(() => a.stats().undelivered === 0);
      for (let n = 0; n < total; n++) a.publish('c', n);
      await until(() => dropped + heard.length === total && gaps === dropped);
      assert.deepStrictEqual(
        heard,
        Array.from({ length: maxInFlight }, (_, n) => n)
      );
      assert.strictEqual(a.stats().dropped, dropped);
    }
  );

  test(
    `maxInFlight ${maxInFlight} takes exactly as many sends to a peer that is not found yet, and to a 0.4.0 host`,
    options,
    async (t) => {
      const count = async (all) => {
        const outcomes = await Promise.all(
          all.map((p) =>
            p.then(
              () => 'fine',
              (err) => err.code
            )
          )
        );
        assert.strictEqual(outcomes.filter((code) => code === 'ERR_OVERLOADED').length, total - maxInFlight);
        return outcomes.filter((code) => code === 'fine').length;
      };
      const many = (host, to) => Array.from({ length: total }, (_, n) => host.send('a', to, n));
      const [one, two] = [await listening(t), await listening(t, { maxInFlight })];
      await two.join(one.url);
      one.create('new').on('message', () => {});
      assert.strictEqual(await count(many(two, 'new')), maxInFlight);
      const [other, beside] = await besideOriginal(t);
      beside.config({ maxInFlight });
      other.create('theirs').on('message', () => {});
      await beside.send('a', 'theirs', 0);
      assert.strictEqual(await count(many(beside, 'theirs')), maxInFlight);
    }
  );
}

test(
  'maxQueueBytes is not exceeded by what one turn sends or publishes, but by a single message alone',
  options,
  async (t) => {
    const maxQueueBytes = 65_536;
    const { a, b } = await pair(t, { maxQueueBytes, reconnectDelay: 60_000 }, { reconnectDelay: 60_000 });
    b.subscribe('c', () => {});
    await b.ready();
    for (const size of [1, 300, 3000, 40_000]) {
      const message = 'x'.repeat(size);
      const sends = Array.from({ length: 512 }, () => a.send('a', 'b', message));
      const { queuedBytes } = a.stats().links[b.url];
      assert.ok(queuedBytes <= maxQueueBytes, `${queuedBytes} bytes wait (sends of ${size})`);
      await Promise.allSettled(sends);
      for (let n = 0; n < 512; n++) a.publish('c', message);
      const queued = a.stats().links[b.url].queuedBytes;
      assert.ok(queued <= maxQueueBytes, `${queued} bytes wait (publishes of ${size})`);
      await until(() => a.stats().undelivered === 0);
    }
    const [alone, beside] = await Promise.allSettled([a.send('a', 'b', 'x'.repeat(100_000)), a.send('a', 'b', 1)]);
    assert.strictEqual(alone.status, 'fulfilled');
    assert.strictEqual(beside.reason.code, 'ERR_OVERLOADED');
  }
);

test('a send is taken as soon as there is room for it, long before the event drain', options, async (t) => {
  const maxQueueBytes = 4 * 2 ** 20;
  const { a, b } = await pair(t, { maxQueueBytes });
  const message = 'x'.repeat(10_000);
  const sends = Array.from({ length: 1000 }, () => a.send('a', 'b', message));
  for (let n = 0; n < 1000; n++) sends.push(a.send('a', 'b', 'small'));
  const all = Promise.allSettled(sends);
  setImmediate(() => {
    a.send('a', 'b', 1).catch(() => {});
  }); // everything has been handed over, and nothing is after this
  await sends[0];
  const { queuedBytes } = a.stats().links[b.url];
  const next = a.send('a', 'b', 1);
  assert.ok(queuedBytes < maxQueueBytes - 10_000, `${queuedBytes} bytes wait`);
  assert.strictEqual(await next, null);
  assert.ok((await all).some(({ reason }) => reason?.code === 'ERR_OVERLOADED'));
});

test('a host that has never done anything counts nothing', options, () => {
  const { outcomes, pending, sent } = new ours.Host().stats();
  assert.deepStrictEqual([sent, pending, ...Object.values(outcomes)], [0, 0, ...Object.values(outcomes).map(() => 0)]);
});
