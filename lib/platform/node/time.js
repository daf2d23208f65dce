'use strict';

/**
 * The timers and the clock that a host works with, taken once. Tests replace the global ones, and those of `node:timers`, by fakes whose
 * time stands still; jest's jsdom has no `setImmediate` at all. A host has to go on all the same, because what it talks with is real.
 */
const timers = require('node:timers');
const { performance } = require('node:perf_hooks');

/**
 * When this module is first loaded while fakes stand there, those of `@sinonjs/fake-timers` (sinon, vitest) know what they stand for.
 * @template {'setImmediate' | 'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval'} Name
 * @param {Name} name
 * @returns {typeof timers[Name]}
 */
function real(name) {
  const { clock } = /** @type {any} */ (timers[name]);
  return clock?.['_' + name] ?? timers[name];
}

/** The method of the class: fakes stand before it. Bun's clock has its own. */
const { now = performance.now } = Object.getPrototypeOf(performance);

/** In ms, by a clock that nobody sets. @type {() => number} */
const milliseconds = now.bind(performance);

const resolved = Promise.resolve();

/**
 * Calls a function when what runs now has ended, before anything else begins.
 * @param {() => void} callback it does not throw
 */
function microtask(callback) {
  void resolved.then(callback);
}

module.exports = {
  setImmediate: real('setImmediate'),
  setTimeout: real('setTimeout'),
  clearTimeout: real('clearTimeout'),
  setInterval: real('setInterval'),
  clearInterval: real('clearInterval'),
  now: milliseconds,
  microtask
};
