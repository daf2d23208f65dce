'use strict';

const Bluebird = require('./Promise.js');

/**
 * Pending promises, settled later. Bluebird's settle by their own methods, so nothing but the promise has to be kept: the two functions
 * that an executor gets would be most of what a send costs. These methods are internal, but bluebird is finished: its last release has them.
 */
const { _fulfill, _reject, _rejectCallback } = /** @type {any} */ (Bluebird.prototype);
const settlesItself = [_fulfill, _reject, _rejectCallback].every((method) => typeof method === 'function');

/** A promise of any other class. */
class Deferred {
  /** @param {any} Promise */
  constructor(Promise) {
    this.promise = new Promise((/** @type {any} */ resolve, /** @type {any} */ reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** That of a note, which is numbered like a send and must not be counted as one. It settles by methods of its own. */
class Note {
  #counters;

  /** @param {import('../host/stats.js')} counters */
  constructor(counters) {
    this.#counters = counters;
    counters.notes++;
  }

  /** @param {any} value null when it was taken, as of sends; undefined when whoever took it has thrown */
  resolve(value) {
    if (value === null) this.#counters.notesTaken++;
    this.taken();
  }

  taken() {}

  /** @param {any} _err */
  reject(_err) {}
}

const noop = () => {};

/**
 * @param {any} Promise the class
 * @returns {any} what is to be kept
 */
function pend(Promise) {
  return settlesItself && Promise === Bluebird ? new Bluebird(noop) : new Deferred(Promise);
}

/** @param {any} pending */
function promiseOf(pending) {
  return pending instanceof Deferred ? pending.promise : pending;
}

/**
 * @param {any} pending
 * @param {any} value no promise
 */
function resolve(pending, value) {
  if (pending instanceof Bluebird) /** @type {any} */ (pending)._fulfill(value);
  else pending.resolve(value);
}

/**
 * @param {Deferred} pending
 * @param {any} value which may be a promise
 */
function settle(pending, value) {
  /** @type {any} */ (pending).resolve(value);
}

/**
 * @param {any} pending
 * @param {Error} err
 */
function reject(pending, err) {
  try {
    if (pending instanceof Bluebird) /** @type {any} */ (pending)._rejectCallback(err, false);
    else pending.reject(err);
  } catch (thrown) {
    // Bluebird looks at the stack, which fails where the program's Error.prepareStackTrace throws.
    const promise = promiseOf(pending);
    if (!(settlesItself && promise instanceof Bluebird)) throw thrown;
    /** @type {any} */ (promise)._reject(err);
  }
}

module.exports = { Deferred, Note, pend, promiseOf, reject, resolve, settle };
