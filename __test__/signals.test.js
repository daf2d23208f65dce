'use strict';
// AbortSignals of requests and watches.

const test = require('node:test');
const assert = require('node:assert');
const { EventEmitter, getEventListeners } = require('node:events');
const { ours, pair } = require('./support.js');

const options = { timeout: 60_000 };
const aborted = { name: 'AbortError', code: 'ABORT_ERR' };

/** A signal of a polyfill, or of another realm. */
class Foreign {
  aborted = false;
  reason = undefined;
  emitter = new EventEmitter();
  addEventListener(type, listener) {
    this.emitter.on(type, listener);
  }
  removeEventListener(type, listener) {
    this.emitter.off(type, listener);
  }
  abort(reason) {
    this.aborted = true;
    this.reason = reason;
    this.emitter.emit('abort', { type: 'abort', target: this });
  }
}

test(
  'a hundred watches and requests of several hosts share one listener of a signal, and let go of it',
  options,
  async (t) => {
    const { a, b, peer } = await pair(t);
    const waits = [];
    peer.handle(() => new Promise((resolve) => waits.push(resolve)));
    const controller = new AbortController();
    const { signal } = controller;
    const watches = Array.from({ length: 100 }, (_, n) => (n % 2 ? a : b).watch('*', { signal }));
    const requests = [];
    const asks = a.create('asks');
    const local = b.create('local');
    for (let n = 0; n < 100; n++) requests.push((n % 2 ? asks : local).request('b', n, { signal }));
    assert.strictEqual(getEventListeners(signal, 'abort').length, 1);
    const ends = Promise.all(
      [
        ...watches.map(async (watch) => {
          while (!(await watch.next()).done);
        }),
        ...requests
      ].map((end) => assert.rejects(end, aborted))
    );
    controller.abort();
    await ends;
    assert.strictEqual(getEventListeners(signal, 'abort').length, 0);
  }
);

test('what has ended by itself lets go of its signal', options, async (t) => {
  const { a, peer } = await pair(t);
  peer.handle((from, message) => message);
  const { signal } = new AbortController();
  const watch = a.watch('*', { signal });
  const asks = a.create('asks');
  assert.strictEqual(await asks.request('b', 1, { signal }), 1);
  await assert.rejects(asks.request('b', 10n, { signal }), { code: 'ERR_MESSAGE_NOT_SERIALIZABLE' });
  await watch.return();
  assert.strictEqual(getEventListeners(signal, 'abort').length, 0);
  const host = new ours.Host();
  const here = host.create('here').handle(() => 1);
  assert.strictEqual(await here.request('here', 1, { signal }), 1);
  here.handle(() => {
    throw new Error('no');
  });
  await assert.rejects(here.request('here', 1, { signal }), { code: 'ERR_HANDLER' });
  assert.strictEqual(getEventListeners(signal, 'abort').length, 0);
});

test('watch and request take the same signals, also those of polyfills', options, async (t) => {
  const { a, peer } = await pair(t);
  peer.handle(() => new Promise(() => {}));
  const signal = new Foreign();
  const watch = a.watch('nobody', { signal });
  const ends = [watch.next(), a.create('asks').request('b', 1, { signal })].map((end) =>
    assert.rejects(end, { ...aborted, cause: 'enough' })
  );
  signal.abort('enough');
  await Promise.all(ends);
  assert.strictEqual(signal.emitter.listenerCount('abort'), 0);
  assert.throws(() => a.watch('nobody', { signal }), aborted);
});

test('watch and request refuse the same things as signals', options, async (t) => {
  const { a } = await pair(t);
  const asks = a.create('asks');
  const error = {
    name: 'TypeError',
    code: 'ERR_INVALID_ARG_TYPE',
    message: /The option "signal" must be an AbortSignal/
  };
  for (const signal of [null, 1, 'x', {}, { aborted: false }, new EventTarget(), new AbortController()]) {
    assert.throws(() => a.watch('*', { signal }), error);
    await assert.rejects(asks.request('b', 1, { signal }), error);
  }
});

test('a signal that cannot be listened to rejects its request only', options, async (t) => {
  const { a, peer } = await pair(t);
  peer.handle((from, message) => message);
  const asks = a.create('asks');
  const signal = Object.assign(new Foreign(), {
    addEventListener() {
      throw new Error('cannot');
    }
  });
  const before = asks.request('b', 1);
  await assert.rejects(asks.request('b', 2, { signal }), { message: /cannot$/ });
  assert.throws(() => a.watch('*', { signal }), { message: /cannot$/ });
  assert.deepStrictEqual([await before, await asks.request('b', 3)], [1, 3]);
});
