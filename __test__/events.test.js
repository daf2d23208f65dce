'use strict';

const assert = require('node:assert');
const { test } = require('node:test');
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
  for (const method of ['on', 'once', 'off', 'addListener', 'removeListener', 'prependListener']) {
    assert.throws(() => host[method]('x', 'no function'), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
});
