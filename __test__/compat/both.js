'use strict';

const test = require('node:test');
const { ours, original, until, next } = require('../support.js');

// The original and its WebSocket library leave timers of half a minute and more behind, which must not keep the tests alive.
const { setTimeout } = globalThis;
Object.defineProperty(globalThis, 'setTimeout', {
  value: Object.assign((callback, ms, ...args) => {
    const timer = setTimeout(callback, ms, ...args);
    return ms >= 30_000 ? timer.unref() : timer;
  }, setTimeout)
});

/**
 * Tests the same thing with the original and with ours: what it asserts has been kept.
 * @param {string} name
 * @param {(t: any, distribus: any, kind: 'original' | 'ours') => any} body
 */
function both(name, body) {
  test(`${name} (original)`, { timeout: 30_000 }, (t) => body(t, original, 'original'));
  test(`${name} (ours)`, { timeout: 30_000 }, (t) => body(t, ours, 'ours'));
}

/**
 * A host that is cleaned up after the test, whatever state it is in.
 * @param {any} t
 * @param {any} distribus
 * @param {any} [options]
 */
function host(t, distribus, options) {
  const host = new distribus.Host({ reconnectTimeout: 100, ...options });
  t.after(async () => {
    const { server } = host;
    await host.close();
    if (distribus === original) {
      // It leaves outgoing connections and timers behind.
      for (const connection of Object.values(host.connections)) connection.terminate();
      if (server) for (const client of server.clients ?? []) client.terminate();
      for (const timer of Object.values(host.timers)) clearTimeout(timer);
    }
  });
  return host;
}

/**
 * A listening host, on a free port. The original does not know the port that it got.
 * @param {any} t
 * @param {any} distribus
 * @param {any} [options]
 */
async function listening(t, distribus, options) {
  const it = host(t, distribus, options);
  await it.listen('127.0.0.1', 0);
  if (distribus === original) {
    it.port = it.server._server.address().port;
    it.url = 'ws://127.0.0.1:' + it.port;
  }
  return it;
}

/**
 * Two listening hosts, the second of which has joined the first.
 * @param {any} t
 * @param {any} distribus
 * @param {any} [options]
 */
async function pair(t, distribus, options) {
  const [one, two] = [await listening(t, distribus, options), await listening(t, distribus, options)];
  await two.join(one.url);
  return [one, two];
}

module.exports = { both, host, listening, pair, until, next, ours, original };
