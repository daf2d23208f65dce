'use strict';

const ours = require('..');
const original = require('distribus-original');
const freePort = require('../scripts/free_port.js');

/** How a stranger asks for a WebSocket, line by line. */
const UPGRADE = [
  'GET /any HTTP/1.1',
  'Host: a',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13'
];

/**
 * A listening host that is closed after the test.
 * @param {any} t the test's context
 * @param {any} [options]
 */
async function listening(t, options) {
  const host = new ours.Host(options);
  t.after(() => host.close());
  await host.listen('127.0.0.1', 0);
  return host;
}

/**
 * An original host and one of ours that has joined it; both are closed after the test.
 * @param {any} t the test's context
 */
async function besideOriginal(t) {
  const one = new original.Host();
  await one.listen('127.0.0.1', await freePort());
  const two = await listening(t);
  await two.join(one.url);
  t.after(async () => {
    await two.close();
    await closeOriginal(one);
  });
  return [one, two];
}

/** Closes an original host, which would wait five minutes for whoever has left. */
async function closeOriginal(host) {
  await host.close();
  for (const timer of Object.values(host.timers)) clearTimeout(timer);
}

/** Two hosts that know each other; a peer `b` lives on the second one. */
async function pair(t, first, second) {
  const [a, b] = [await listening(t, first), await listening(t, second)];
  await b.join(a.url);
  const peer = b.create('b');
  peer.on('message', () => {});
  await a.send('a', 'b', 'hello');
  return { a, b, peer };
}

/** Ends the connections of a host without a goodbye. */
function sever(host) {
  for (const connection of Object.values(host.connections)) connection.close();
}

/** The next message of a peer. */
function next(peer) {
  return new Promise((resolve) => peer.once('message', (from, message) => resolve({ from, message })));
}

/** Resolves when the condition holds; the test's own timeout ends it otherwise. */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

module.exports = {
  UPGRADE,
  ours,
  original,
  besideOriginal,
  closeOriginal,
  freePort,
  listening,
  next,
  pair,
  sever,
  until
};
