'use strict';
// The methods of Node's EventEmitter that a peer has: the same calls on a peer and on an EventEmitter give the same.

const test = require('node:test');
const assert = require('node:assert');
const { EventEmitter } = require('node:events');
const { ours } = require('./both.js');

const targets = { EventEmitter: () => new EventEmitter(), peer: () => new ours.Host().create('p') };

for (const event of ['message', 'another', Symbol('s')]) {
  test(`peers and EventEmitters do the same: ${String(event)}`, () => {
    const [expected, actual] = Object.values(targets).map((make) => trace(make(), event));
    assert.deepStrictEqual(actual, expected);
  });
}

function trace(target, event) {
  const log = [];
  const a = (x, y) => log.push(['a', x, y]);
  const b = (x, y) => log.push(['b', x, y]);
  log.push(target.emit(event, 1, 2));
  log.push(target.on(event, a) === target, target.once(event, b) === target, target.addListener(event, a) === target);
  log.push(target.listenerCount(event), target.listeners(event).length, target.listeners(event)[1] === b);
  log.push(target.emit(event, 3, 4), target.emit(event, 5, 6));
  log.push(target.listenerCount(event));
  target.once(event, b);
  log.push(target.off(event, b) === target, target.removeListener(event, a) === target, target.listenerCount(event));
  target.off(event, () => {});
  target.emit(event, 7, 8);
  target.once(event, function again() {
    log.push('again');
    target.emit(event, 9, 10);
  });
  target.emit(event, 11, 12);
  const suicidal = () => {
    log.push('suicidal');
    target.off(event, suicidal);
    target.off(event, a);
  };
  target.removeAllListeners(event);
  target.on(event, suicidal).on(event, a);
  target.emit(event, 13, 14);
  target.emit(event, 15, 16);
  target.on('other', a).on(event, a);
  log.push(target.removeAllListeners(event) === target, target.listenerCount(event), target.listenerCount('other'));
  target.removeAllListeners();
  log.push(target.listenerCount('other'), target.listeners('other'));
  for (const method of ['on', 'once', 'off', 'addListener', 'removeListener']) {
    try {
      target[method](event, 'no function');
      log.push(method);
    } catch (err) {
      log.push([method, err.name, err.code]);
    }
  }
  return log;
}
