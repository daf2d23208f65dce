'use strict';
// Hosts that do not listen, and reach each other by way of a host that both have joined.

const { test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { ours, original, freePort, listening, next, until } = require('./support.js');

/** A host that does not listen and has joined those. */
async function joined(t, ...relays) {
  const host = new ours.Host({ reconnectDelay: 50, Promise });
  t.after(() => host.close());
  for (const relay of relays) await host.join(relay.url);
  return host;
}

/** The key of the only connection of `host` that has no url. */
function unlisted(host) {
  const keys = Object.keys(host.connections).filter((key) => !key.startsWith('ws:'));
  assert.strictEqual(keys.length, 1);
  return keys[0];
}

if (process.argv[2] === 'original')
  withOriginal().then(
    () => process.exit(0),
    (err) => {
      console.error(err);
      process.exit(1);
    }
  );
else {
  test(
    'two hosts that joined a third find, send to, list, hear and leave each other',
    { timeout: 20_000 },
    async (t) => {
      const relay = await listening(t);
      const a = await joined(t, relay);
      const b = await joined(t, relay);
      const [ann, bob] = [a.create('ann'), b.create('bob')];
      assert.deepStrictEqual(Object.keys(a.connections).length, 2);
      assert.match(unlisted(a), /^[0-9a-f]{32}$/);
      assert.strictEqual(await a.find('bob'), null);
      assert.strictEqual(await b.find('ann'), null);
      const [toBob, toAnn] = [next(bob), next(ann)];
      assert.strictEqual(await ann.send('bob', { n: 1 }), null);
      assert.strictEqual(await bob.send('ann', ['é😀']), null);
      assert.deepStrictEqual(await toBob, { from: 'ann', message: { n: 1 } });
      assert.deepStrictEqual(await toAnn, { from: 'bob', message: ['é😀'] });
      assert.deepStrictEqual((await a.list()).sort(), ['ann', 'bob']);
      await assert.rejects(ann.send('nobody', 1), { message: 'Peer not found (id: nobody)' });

      const heard = [];
      b.subscribe('news', (message) => heard.push(message));
      await b.ready('news');
      a.publish('news', 1);
      a.publish('news', 2);
      await until(() => heard.length === 2);
      assert.deepStrictEqual(heard, [1, 2]);

      await b.close();
      assert.deepStrictEqual(Object.keys(a.connections), [relay.url]);
      await assert.rejects(ann.send('bob', 2), { message: 'Peer not found (id: bob)' });
    }
  );

  test(
    'a host that begins to listen is connected directly with those with whom it was relayed, and nothing is lost',
    { timeout: 30_000 },
    async (t) => {
      const relay = await listening(t);
      const [a, b] = [await joined(t, relay), await joined(t, relay)];
      const changes = [];
      for (const event of ['join', 'leave', 'disconnect', 'reconnect', 'unreachable', 'error'])
        a.on(event, (...args) => changes.push([event, ...args]));
      const got = [];
      b.create('b').on('message', (from, message) => got.push(message));
      await a.send('a', 'b', 0);
      const id = unlisted(a);
      assert.strictEqual(a.addresses.b, id);
      const sends = [];
      await b.listen('127.0.0.1', 0);
      while (a.connections[b.url] === undefined) {
        sends.push(a.send('a', 'b', sends.length + 1));
        await new Promise(setImmediate);
      }
      sends.push(a.send('a', 'b', sends.length + 1));
      assert.deepStrictEqual(
        await Promise.all(sends),
        sends.map(() => null)
      );
      assert.deepStrictEqual(got, [0, ...sends.map((_, n) => n + 1)]);
      assert.deepStrictEqual(Object.keys(a.connections).sort(), [b.url, relay.url].sort());
      assert.strictEqual(a.addresses.b, b.url);
      assert.strictEqual(await a.find('b'), b.url);
      assert.deepStrictEqual(changes, []);
      assert.deepStrictEqual(
        a.hosts().find((host) => host.id === id),
        { url: b.url, id, connected: true }
      );
      // The host between is not needed any more.
      await relay.close();
      assert.strictEqual(await a.send('a', 'b', 'last'), null);
    }
  );

  test('many messages keep their order, large ones arrive whole', { timeout: 30_000 }, async (t) => {
    const relay = await listening(t);
    const [a, b] = [await joined(t, relay), await joined(t, relay)];
    const got = [];
    b.create('b').on('message', (from, message) => got.push(message));
    const ann = a.create('a');
    await Promise.all(Array.from({ length: 20_000 }, (_, n) => ann.send('b', n)));
    assert.deepStrictEqual(
      got,
      Array.from({ length: 20_000 }, (_, n) => n)
    );
    const large = 'x'.repeat(20_000_000);
    await ann.send('b', large);
    assert.strictEqual(got.at(-1), large);
  });

  test(
    'the connection with the relay is lost: both ends are told, and go on when it is back',
    { timeout: 20_000 },
    async (t) => {
      const relay = await listening(t);
      const [a, b] = [await joined(t, relay), await joined(t, relay)];
      const heard = [];
      b.subscribe('news', (message) => heard.push(message));
      await b.ready('news');
      a.publish('news', 1);
      await until(() => heard.length === 1);
      const key = unlisted(b);
      relay.connections[key].close();
      await until(() => Object.keys(b.connections).length === 1);
      a.create('ann');
      await until(() => Object.keys(a.connections).length === 2 && Object.keys(b.connections).length === 2);
      await until(() => key in b.connections);
      a.publish('news', 2);
      await until(() => heard.length === 2);
      assert.deepStrictEqual(heard, [1, 2]);
      b.create('bob');
      assert.strictEqual(await a.find('bob'), null);
      assert.strictEqual(await a.get('ann').send('bob', 1), null);
    }
  );

  test('a relay that leaves is replaced by another one', { timeout: 20_000 }, async (t) => {
    const [one, two] = [await listening(t), await listening(t)];
    await two.join(one.url);
    const [a, b] = [await joined(t, one), await joined(t, two)];
    const got = [];
    b.create('bob').on('message', (from, message) => got.push(message));
    const ann = a.create('ann');
    await ann.send('bob', 1);
    await one.close();
    await until(() => Object.keys(a.connections).length === 2);
    await ann.send('bob', 2);
    await two.close();
    await until(() => Object.keys(a.connections).length === 0);
    await assert.rejects(ann.send('bob', 3), { code: 'ERR_PEER_UNREACHABLE' });
    assert.deepStrictEqual(got, [1, 2]);
  });

  test('a host that listens and joins later is connected directly', { timeout: 20_000 }, async (t) => {
    const relay = await listening(t);
    const a = await joined(t, relay);
    a.create('ann').on('message', () => {});
    const later = await listening(t);
    await later.join(relay.url);
    await later.create('later').send('ann', 1);
    await until(() => later.url in a.connections);
    // Without the relay, too.
    await relay.close();
    await until(() => !(relay.url in a.connections));
    let sent;
    while (sent === undefined)
      sent = await later
        .get('later')
        .send('ann', 2)
        .catch(() => undefined);
    assert.strictEqual(sent, null);
    assert.strictEqual(await a.find('later'), later.url);
  });

  test('an original host in the network stays as it was', { timeout: 30_000 }, () => {
    // In a process of its own, because original hosts keep timers for a minute.
    const { status, stderr } = spawnSync(process.execPath, [__filename, 'original'], {
      encoding: 'utf8',
      timeout: 20_000
    });
    assert.strictEqual(stderr, '');
    assert.strictEqual(status, 0);
  });
}

async function withOriginal() {
  const t = { after() {} };
  const relay = await listening(t);
  const old = new original.Host();
  await old.listen('127.0.0.1', await freePort());
  await old.join(relay.url);
  const [a, b] = [await joined(t, relay), await joined(t, relay)];
  const got = [];
  old.create('old').on('message', (from, message) => got.push(message));
  const heard = [];
  old.subscribe('news', (message) => heard.push(message));
  await a.create('ann').send('old', 1);
  await b.create('bob').send('old', 2);
  assert.strictEqual(await a.get('ann').send('bob', 3), null);
  b.publish('news', 4);
  await until(() => heard.length === 1);
  assert.deepStrictEqual([got, heard], [[1, 2], [4]]);
  assert.deepStrictEqual(Object.keys(old.connections), [relay.url]);
}
