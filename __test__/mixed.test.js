'use strict';
// Networks of original hosts (O) and ours (o), joined in that order.

const assert = require('node:assert');
const eachInItsProcess = require('./own_process.js');

const MIXES = ['oO', 'Oo', 'OoO', 'oOo', 'OOo', 'ooO', 'ooOO', 'OOoo', 'OoOoO', 'oOoOo'];

eachInItsProcess(__filename, MIXES, (mix) => `network ${mix}`, network);

async function network(mix) {
  const { ours, original, freePort, until } = require('./support.js');
  const hosts = [];
  for (const kind of mix) {
    const host = new (kind === 'o' ? ours : original).Host();
    await host.listen('127.0.0.1', await freePort());
    hosts.push(host);
  }
  const got = [];
  const news = [];
  const peers = hosts.map(
    (host, i) =>
      host.create('p' + i).on('message', (from, m) => got.push(`${from}>p${i} ${m.text}`)) ?? host.get('p' + i)
  );
  hosts.forEach((host, i) => host.subscribe('news', (m) => news.push(`${i}:${m}`)));
  for (let i = 1; i < hosts.length; i++) await hosts[i].join(hosts[i - 1].url);
  for (const host of hosts) assert.strictEqual(Object.keys(host.connections).length, hosts.length - 1);
  for (const [i, host] of hosts.entries()) {
    for (let j = 0; j < hosts.length; j++) {
      assert.strictEqual(await host.find('p' + j), hosts[j].url);
      assert.strictEqual(await host.get('p' + i).send('p' + j, { text: 'é😀' }), null);
      assert.ok(got.includes(`p${i}>p${j} é😀`));
    }
    await assert.rejects(Promise.resolve(host.send('a', 'nobody', 1)), { message: 'Peer not found (id: nobody)' });
    host.publish('news', i);
  }
  assert.strictEqual(peers.length, hosts.length);
  await until(() => news.length === hosts.length ** 2);
  for (const host of hosts) {
    const { url } = host;
    await host.close();
    for (const [j, other] of hosts.entries())
      assert.ok(
        !(url in other.connections),
        `host ${hosts.indexOf(host)} has left, and host ${j} still has ${Object.keys(other.connections)}`
      );
  }
}
