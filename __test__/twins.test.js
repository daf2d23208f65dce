'use strict';
// Hosts that advertise the same url, as in containers that all listen at 0.0.0.0: here each of them has a loopback address of its own.

const { test } = require('node:test');
const assert = require('node:assert');
const { ours, freePort, listening, next, until } = require('./support.js');

const skip = process.platform !== 'linux' && 'only Linux has all of 127.0.0.0/8';

/** So many hosts that advertise the same url, and the urls by which they can really be dialled. */
async function twins(t, count) {
  const port = await freePort();
  const hosts = [];
  for (let n = 0; n < count; n++) {
    const host = new ours.Host({ reconnectDelay: 50 });
    host.told = [];
    host.on('error', (err) => host.told.push(err));
    host.on('disconnect', () => assert.fail('a connection is lost'));
    t.after(() => host.close());
    await host.listen('0.0.0.0', port, { bind: `127.0.0.${n + 2}` });
    hosts.push(host);
  }
  return { hosts, url: `ws://0.0.0.0:${port}`, names: hosts.map((_, n) => `ws://127.0.0.${n + 2}:${port}`) };
}

/** Every host sends to a peer of every other one, and publishes to all. */
async function assertTalk(hosts) {
  await until(() => hosts.every((host) => Object.keys(host.connections).length === hosts.length - 1));
  const peers = hosts.map((host, n) => host.create('peer' + n));
  const heard = hosts.map(() => []);
  hosts.forEach((host, n) => host.subscribe('news', (message) => heard[n].push(message)));
  for (const host of hosts) await host.ready('news');
  for (const [n, peer] of peers.entries()) {
    for (const [m, other] of peers.entries()) {
      if (m === n) continue;
      const got = next(other);
      assert.strictEqual(await peer.send('peer' + m, `${n} to ${m}`), null);
      assert.deepStrictEqual(await got, { from: 'peer' + n, message: `${n} to ${m}` });
    }
    hosts[n].publish('news', n);
  }
  await until(() => heard.every((all) => all.length === hosts.length));
  for (const all of heard)
    assert.deepStrictEqual(
      all.sort(),
      hosts.map((_, n) => n)
    );
}

test('hosts that all advertise 0.0.0.0 reach each other, and are told of it', { skip, timeout: 20_000 }, async (t) => {
  const { hosts, url, names } = await twins(t, 4);
  await hosts[1].join(names[0]);
  await hosts[2].join(names[0]);
  await hosts[3].join(names[1]);
  await assertTalk(hosts);
  for (const { told } of hosts) {
    assert.deepStrictEqual(
      told.map((err) => [err.code, err.url]),
      [['ERR_URL_TAKEN', url]]
    );
    assert.match(
      told[0].message,
      /^Another host advertises ws:\/\/0\.0\.0\.0:\d+, as this one does: .* by which the others can dial it$/
    );
  }
  assert.ok(names[0] in hosts[1].connections);
  assert.strictEqual(await hosts[0].find('peer1'), null);
  assert.strictEqual(await hosts[1].find('peer0'), names[0]);
});

test('two hosts with one url join a third one', { skip, timeout: 20_000 }, async (t) => {
  const { hosts, url } = await twins(t, 2);
  const third = await listening(t);
  third.told = [];
  third.on('error', (err) => third.told.push(err));
  for (const host of hosts) await host.join(third.url);
  assert.strictEqual(Object.keys(third.connections).length, 2);
  assert.ok(url in third.connections);
  await assertTalk([third, ...hosts]);
  assert.deepStrictEqual(
    third.told.map((err) => err.code),
    ['ERR_URL_TAKEN']
  );
  assert.match(third.told[0].message, /^Two hosts advertise ws:/);
});

test('without a listener it is a warning', { skip, timeout: 20_000 }, async (t) => {
  const { hosts, names } = await twins(t, 2);
  for (const host of hosts) host.removeAllListeners('error');
  const warning = new Promise((resolve) => process.once('warning', resolve));
  await hosts[1].join(names[0]);
  assert.strictEqual((await warning).code, 'ERR_URL_TAKEN');
});
