'use strict';
// Members that make a host dial: how often, and where to.

const test = require('node:test');
const assert = require('node:assert');
const net = require('node:net');
const { Member } = require('./bounds/member.js');
const { listening, until } = require('./support.js');

/**
 * Who is dialled, and does not answer.
 * @param {any} t
 * @param {string} [address]
 */
async function silent(t, address = '127.0.0.1') {
  /** @type {Set<net.Socket>} */
  const open = new Set();
  const seen = { all: 0, most: 0, open };
  const server = net.createServer((socket) => {
    open.add(socket);
    seen.all++;
    seen.most = Math.max(seen.most, open.size);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.resume();
  });
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, address, () => resolve(undefined)));
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  return { seen, url: `ws://${address}:${port}` };
}

/** @param {string} url @param {number} count */
const paths = (url, count) => Array.from({ length: count }, (_, n) => ({ url: `${url}/${n}` }));

/** Sixteen; the next ones may arrive before the ends of those that have run out of time. */
const MOST = 24;

test('thousands of urls that one member tells open a few sockets at a time', { timeout: 60_000 }, async (t) => {
  const host = await listening(t, { handshakeTimeout: 500 });
  const { seen, url } = await silent(t);
  const member = await Member.join(host.url);
  t.after(() => member.end());
  const list = paths(url, 4096);
  await member.tell('members', { members: list });
  for (const { url } of list.slice(0, 500)) await member.ask('join', { url });
  await member.tell('hosts', { urls: list.map(({ url }) => url) });
  await until(() => seen.all > 30);
  assert.ok(seen.most <= MOST, `${seen.most} sockets at once`);
  // Who told of them is gone, and so are they.
  member.end();
  await until(() => seen.open.size === 0);
  const { all } = seen;
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.ok(seen.all <= all + 1, `${seen.all - all} dials afterwards`);
});

test('what members tell holds up neither a join nor what another one tells', { timeout: 60_000 }, async (t) => {
  const host = await listening(t);
  const { seen, url } = await silent(t);
  const members = await Promise.all([1, 2, 3].map(() => Member.join(host.url)));
  t.after(() => members.forEach((member) => member.end()));
  await members[0].tell('members', { members: paths(url, 4096) });
  await until(() => seen.open.size === 12);
  const honest = await listening(t);
  await members[1].tell('members', { members: [{ url: honest.url }] });
  await until(() => honest.url in host.connections);
  const other = await listening(t);
  await members[2].tell('members', { members: paths(`${url}/more`, 4096) });
  await until(() => seen.open.size === 16);
  await host.join(other.url);
  assert.ok(other.url in host.connections);
  assert.ok(seen.most <= MOST, `${seen.most} sockets at once`);
});
