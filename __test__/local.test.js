'use strict';
// One host on its own: what the original does, and what is fixed.

const test = require('node:test');
const assert = require('node:assert');
const util = require('node:util');
const Bluebird = require('bluebird');
const { ours: distribus, original } = require('./support.js');

test('exports Host, Peer and bluebird as Promise', () => {
  assert.deepStrictEqual(Object.keys(distribus).sort(), ['Host', 'Peer', 'Promise']);
  assert.strictEqual(distribus.Promise.version, Bluebird.version);
  assert.strictEqual(require('../lib/Promise'), distribus.Promise);
});

test('a host has the own properties of the original', () => {
  assert.deepStrictEqual(Object.keys(new distribus.Host()).sort(), Object.keys(new original.Host()).sort());
});

test('a local send is synchronous and by reference', async () => {
  const host = new distribus.Host();
  const message = { cycle: null, method() {} };
  message.cycle = message;
  const got = [];
  host.create('a').on('message', (from, m) => got.push(from, m));
  const promise = host.send('nobody in particular', 'a', message);
  assert.deepStrictEqual(got, ['nobody in particular', message]);
  assert.ok(promise instanceof distribus.Promise);
  assert.strictEqual(await promise, null);
  const { send } = host;
  assert.strictEqual(await send('x', 'a', 1), null);
});

test('a local listener that throws makes send throw, and stops the later ones', () => {
  const host = new distribus.Host();
  const error = new Error('mine');
  const peer = host.create('a');
  peer.on('message', () => {
    throw error;
  });
  peer.on('message', () => assert.fail('called'));
  assert.throws(
    () => host.send('b', 'a', 1),
    (err) => err === error
  );
  host.subscribe('c', () => {
    throw error;
  });
  assert.throws(
    () => host.publish('c', 1),
    (err) => err === error
  );
});

test('listeners that are added during an emit are not called in it', () => {
  const peer = new distribus.Host().create('a');
  let calls = 0;
  const twice = () => {
    calls++;
    peer.on('message', () => assert.fail('called'));
  };
  peer.on('message', twice);
  peer.on('message', twice);
  peer.emit('message', 'b', 1);
  assert.strictEqual(calls, 2);
});

test('peers have the methods of an EventEmitter', () => {
  const peer = new distribus.Host().create('a');
  const seen = [];
  const listener = () => seen.push('on');
  peer.once('x', () => seen.push('once')).addListener('x', listener);
  assert.strictEqual(peer.listenerCount('x'), 2);
  peer.emit('x');
  peer.emit('x');
  peer.removeListener('x', listener);
  assert.strictEqual(peer.emit('x'), false);
  assert.deepStrictEqual(seen, ['once', 'on', 'on']);
  peer.on('message', listener).removeAllListeners();
  assert.strictEqual(peer.listenerCount('message'), 0);
});

test('ids keep their type, and collide as strings', async () => {
  const host = new distribus.Host();
  assert.strictEqual(host.create(7).id, 7);
  assert.throws(() => host.create('7'), { message: 'Id already exists (id: 7)', code: 'ERR_ID_EXISTS' });
  for (const id of [undefined, null, NaN, true, '']) assert.ok(Object.is(host.create(id).id, id));
  assert.ok(host.get('undefined'));
  host.remove(0);
  host.remove('');
  assert.ok(host.get(''));
  const old = host.get(7);
  host.remove(7);
  const peer = host.create(7);
  host.remove(old);
  assert.strictEqual(host.get(7), null);
  assert.strictEqual(await host.find(true), null);
  assert.strictEqual(peer.id, 7);
});

test('names of Object.prototype are ordinary ids and channels', async () => {
  const host = new distribus.Host();
  for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
    assert.strictEqual(host.get(name), null);
    const got = [];
    host.create(name).on('message', (from, m) => got.push(m));
    await host.send('a', name, 1);
    host.subscribe(name, (m) => got.push(m));
    host.publish(name, 2);
    assert.deepStrictEqual(got, [1, 2]);
    host.remove(name);
    await assert.rejects(host.find(name), { message: `Peer not found (id: ${name})`, code: 'ERR_PEER_NOT_FOUND' });
  }
});

test('a subscription that ends during a publish, before its turn, is not called, also when the same callback is subscribed several times', () => {
  for (const channel of ['c', 'news.*']) {
    /** How often a callback that is subscribed `times` times is called when somebody before, between or after does this. */
    const called = (order, act) => {
      const host = new distribus.Host();
      let calls = 0;
      const twice = () => {
        calls++;
      };
      let done = false;
      const acts = () => {
        if (!done) act(host, twice);
        done = true;
      };
      for (const letter of order) host.subscribe(channel, letter === 'f' ? twice : acts);
      host.publish(channel === 'c' ? 'c' : 'news.today', 1);
      return calls;
    };
    const off = (host, callback) => host.unsubscribe(channel, callback);
    const on = (host, callback) => host.subscribe(channel, callback);
    const both = (host, callback) => {
      off(host, callback);
      off(host, callback);
    };
    assert.deepStrictEqual(
      {
        one: called('xff', off),
        all: called('xff', both),
        between: called('fxf', off),
        bothBetween: called('fxf', both),
        after: called('ffx', off),
        three: called('xfff', off),
        renewed: called('xff', (host, callback) => {
          off(host, callback);
          on(host, callback);
        }),
        replaced: called('xff', (host, callback) => {
          off(host, callback);
          on(host, () => {});
        }),
        added: called('xf', (host, callback) => {
          on(host, callback);
        })
      },
      {
        one: 1,
        all: 0,
        between: 2,
        bothBetween: 1,
        after: 2,
        three: 2,
        renewed: 2,
        replaced: 1,
        added: 1
      },
      channel
    );
  }
});

test('duplicate subscriptions that unsubscribe themselves are all called once', () => {
  const host = new distribus.Host();
  let calls = 0;
  const once = () => {
    calls++;
    host.unsubscribe('c', once);
  };
  for (let i = 0; i < 3; i++) host.subscribe('c', once);
  host.publish('c', 1);
  assert.strictEqual(calls, 3);
  assert.strictEqual('c' in host.channels, false);
});

test('unsubscribing during dispatch skips nobody else', () => {
  const host = new distribus.Host();
  const got = [];
  const a = () => {
    got.push('a');
    host.unsubscribe('c', a);
    host.unsubscribe('c', c);
  };
  const b = () => got.push('b');
  const c = () => got.push('c');
  const d = () => {
    got.push('d');
    host.subscribe('c', () => got.push('new'));
  };
  for (const callback of [a, b, c, d]) host.subscribe('c', callback);
  host.publish('c', 1);
  assert.deepStrictEqual(got, ['a', 'b', 'd']);
  for (const callback of [...host.channels.c]) host.unsubscribe('c', callback);
  assert.ok(!('c' in host.channels));
});

test('config merges, keeps unknown options and gives a copy', () => {
  const host = new distribus.Host({ type: 'mine', networkId: 'n' });
  const expected = { reconnectTimeout: 300000, reconnectDelay: 1000, reconnectDecay: 2, type: 'mine', networkId: 'n' };
  assert.deepStrictEqual(host.config(), expected);
  assert.strictEqual(host.networkId, 'n');
  host.config().type = 'changed';
  assert.strictEqual(host.config().type, 'mine');
  assert.ok(!('url' in host) || host.url === undefined);
});

test('bad values are refused before anything changes', async () => {
  const host = new distribus.Host();
  const bad = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
  assert.throws(() => host.config({ requestTimeout: '1', type: 'x' }), bad);
  assert.throws(() => host.config({ requestTimeout: -1 }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
  assert.ok(!('type' in host.config()));
  assert.throws(() => host.create('a').on('message', 'x'), bad);
  assert.throws(() => host.subscribe('c'), bad);
  assert.deepStrictEqual(Object.keys(host.channels), []);
  await assert.rejects(host.listen('127.0.0.1', {}), bad);
  await assert.rejects(host.listen('127.0.0.1', 70000), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
  await assert.rejects(host.listen('127.0.0.1', 0, { bind: 'nonsense' }), { code: 'ERR_INVALID_ARG_VALUE' });
  await assert.rejects(host.join(7), bad);
  assert.strictEqual(host.server, null);
});

test('a host can be inherited from, in both styles', async () => {
  function Old(options) {
    distribus.Host.call(this, options);
  }
  util.inherits(Old, distribus.Host);
  class New extends distribus.Host {
    create(id) {
      return super.create('my ' + id);
    }
    close() {
      return super.close().then(() => 'closed');
    }
  }
  const old = new Old({ a: 1 });
  assert.strictEqual(old.config().a, 1);
  old.create('x');
  assert.strictEqual(await old.send('y', 'x', 1), null);
  const host = new New();
  host.create('x');
  assert.ok(host.get('my x'));
  assert.strictEqual(await host.close(), 'closed');
});

test('close of an unused host resolves with it; join of nothing as well', async () => {
  const host = new distribus.Host();
  assert.strictEqual(await host.close(), host);
  for (const url of [undefined, null, '']) assert.strictEqual(await host.join(url), host);
});
