'use strict';

const assert = require('node:assert');
const { test } = require('node:test');
const { EventEmitter } = require('node:events');
const { Host } = require('../index.js');

test('a host has the methods of an EventEmitter, and they chain', () => {
  const host = new Host();
  const calls = [];
  const listener = () => calls.push('never');
  assert.strictEqual(host.on('x', listener).once('x', listener).off('x', listener), host);
  assert.strictEqual(host.listenerCount('x'), 1);
  assert.deepStrictEqual(host.listeners('x'), [listener]);
  assert.strictEqual(host.removeAllListeners('x').listenerCount('x'), 0);
  host.addListener('x', listener).removeListener('x', listener);
  assert.strictEqual(host.listenerCount('x'), 0);
  assert.deepStrictEqual(calls, []);
});

test('what is no function is refused at once', () => {
  const host = new Host();
  for (const method of [
    'on',
    'once',
    'off',
    'addListener',
    'removeListener',
    'prependListener',
    'prependOnceListener'
  ]) {
    assert.throws(() => host[method]('x', 'no function'), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
});

/** The methods of an EventEmitter, whatever Node.js this is. */
const methods = Object.keys(EventEmitter.prototype).filter(
  (name) => typeof EventEmitter.prototype[name] === 'function'
);

test('hosts and peers have every method of an EventEmitter', () => {
  const host = new Host();
  for (const target of [host, host.create('p')]) {
    for (const name of methods) assert.strictEqual(typeof target[name], 'function', name);
  }
});

test('hosts call listeners as an EventEmitter does, in its order and with themselves as this', () => {
  const log = (target) => {
    const calls = [];
    const told = (name) =>
      function (...args) {
        calls.push([name, this === target, ...args]);
      };
    assert.strictEqual(
      target.on('x', told('on')).prependListener('x', told('first')).prependOnceListener('x', told('once, first')),
      target
    );
    const once = told('once');
    target.once('x', once);
    assert.deepStrictEqual(
      [target.eventNames(), target.listeners('x').length, target.rawListeners('x').length],
      [['x'], 4, 4]
    );
    assert.strictEqual(target.listeners('x')[3], once);
    assert.strictEqual(target.rawListeners('x')[3].listener, once);
    assert.strictEqual(target.emit('x', 1, 2, 3), true);
    assert.strictEqual(target.emit('x'), true);
    assert.strictEqual(target.once('x', once).off('x', once).listenerCount('x'), 2);
    target.once('y', once);
    assert.deepStrictEqual(target.eventNames(), ['x', 'y']);
    target.rawListeners('y')[0](4);
    assert.deepStrictEqual([target.emit('y'), target.emit('nothing')], [false, false]);
    return calls.map(([name, self, ...args]) =>
      name === 'once' && args[0] === 4 ? [name, ...args] : [name, self, ...args]
    );
  };
  assert.deepStrictEqual(log(new Host()), log(new EventEmitter()));
});

test("what a listener of a program's own event throws goes to the event 'error', and the later ones are called", () => {
  const host = new Host();
  const calls = [];
  host
    .on('x', () => {
      throw new Error('thrown');
    })
    .on('x', () => calls.push('second'))
    .on('error', (err) => calls.push(err.code, err.cause.message));
  assert.strictEqual(host.emit('x'), true);
  assert.deepStrictEqual(calls, ['ERR_LISTENER_THREW', 'thrown', 'second']);
});

test('peers prepend listeners, name their events and show their raw listeners', () => {
  const peer = new Host()
    .create('p')
    .handle(() => 1)
    .setMaxListeners(5);
  const calls = [];
  assert.deepStrictEqual(peer.eventNames(), []);
  const once = () => calls.push('once');
  const symbol = Symbol('s');
  peer
    .on('message', () => calls.push('on'))
    .prependListener('message', () => calls.push('first'))
    .prependOnceListener('message', once)
    .on(symbol, once);
  assert.deepStrictEqual(peer.eventNames(), ['message', symbol]);
  assert.strictEqual(peer.rawListeners('message')[0].listener, once);
  assert.strictEqual(peer.listeners('message')[0], once);
  peer.emit('message');
  peer.emit('message');
  assert.deepStrictEqual(calls, ['once', 'first', 'on', 'first', 'on']);
  peer.removeAllListeners();
  assert.deepStrictEqual([peer.eventNames(), peer.getMaxListeners()], [[], 5]);
});

test('hosts and peers warn of many listeners once, and only when they are told a number', async () => {
  const warnings = [];
  const onWarning = (warning) => {
    if (warning.name === 'MaxListenersExceededWarning') warnings.push(warning.message);
  };
  process.on('warning', onWarning);
  const host = new Host();
  for (const target of [host, host.create('p')]) {
    assert.strictEqual(target.getMaxListeners(), 0);
    for (let n = 0; n < 20; n++) target.on('x', () => {});
    assert.strictEqual(target.setMaxListeners(2).getMaxListeners(), 2);
    for (let n = 0; n < 20; n++) target.on('y', () => {});
    for (const bad of [-1, NaN])
      assert.throws(() => target.setMaxListeners(bad), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => target.setMaxListeners('1'), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
  await new Promise(setImmediate);
  process.off('warning', onWarning);
  assert.strictEqual(warnings.length, 2);
  assert.match(warnings[1], /^Peer p has more than 2 listeners of 'y'/);
});
