'use strict';

const { coded, hostClosed } = require('../common/errors.js');
const { Deferred, reject, settle } = require('../common/pending.js');

/** What was asked of the native host and ends with an event of the number that it was given. */
class Calls {
  /** @type {Map<number, {pending: Deferred, end?: (value: any) => any}>} */
  #waiting = new Map();
  #next = 1;
  #trouble;

  /** @param {import('./trouble.js')} trouble */
  constructor(trouble) {
    this.#trouble = trouble;
  }

  /** How many have not ended yet. */
  get size() {
    return this.#waiting.size;
  }

  /**
   * @param {any} Promise the class
   * @param {(call: number) => void} begin
   * @param {(value: any) => any} [end] makes the promise's value of the event's, when the event is applied
   * @returns {any} a promise
   */
  begin(Promise, begin, end) {
    const pending = new Deferred(Promise);
    const number = this.#next++;
    this.#waiting.set(number, { pending, end });
    try {
      begin(number);
    } catch (err) {
      this.#waiting.delete(number);
      reject(pending, coded(err));
    }
    return pending.promise;
  }

  /**
   * @param {number} number
   * @param {any} value
   */
  succeed(number, value) {
    const call = this.#take(number);
    if (call === undefined) return;
    try {
      settle(call.pending, call.end === undefined ? value : call.end(value));
    } catch (thrown) {
      reject(call.pending, coded(thrown));
    }
  }

  /**
   * @param {number} number
   * @param {Error} err
   */
  fail(number, err) {
    const call = this.#take(number);
    if (call !== undefined) reject(call.pending, err);
  }

  /**
   * The native host's answer to that one is not waited for any longer.
   * @param {any} promise
   */
  cut(promise) {
    for (const [number, { pending }] of this.#waiting) if (pending.promise === promise) this.succeed(number, undefined);
  }

  /** @param {number} number */
  #take(number) {
    const call = this.#waiting.get(number);
    this.#waiting.delete(number);
    return call;
  }

  /** The host is closed. */
  closed() {
    for (const { pending } of this.#waiting.values()) {
      try {
        reject(pending, hostClosed());
      } catch (err) {
        this.#trouble.promiseThrew(err);
      }
    }
    this.#waiting.clear();
  }
}

module.exports = Calls;
