'use strict';

const { Patterns, isPattern } = require('../channels/patterns.js');

/** Heads of notes about watches. */
const WATCH = 'w';
const UNWATCH = 'u';

/** Which watches of ours one host has to be told of, as a source of its line. */
class Asks {
  /** By number: what to say. @type {Map<number, string>} */
  #waiting = new Map();
  #refused;

  /** @param {(number: number) => void} refused is called when the host has too many watches to serve that one */
  constructor(refused) {
    this.#refused = refused;
  }

  /**
   * @param {number} number
   * @param {string} pattern
   */
  watch(number, pattern) {
    this.#waiting.set(number, WATCH + JSON.stringify([number, pattern]));
  }

  /** @param {number} number */
  unwatch(number) {
    // What the host has not been told it need not forget.
    if (!this.#waiting.delete(number)) this.#waiting.set(number, UNWATCH + JSON.stringify([number]));
  }

  next() {
    for (const [number, head] of this.#waiting) {
      this.#waiting.delete(number);
      const failed = (/** @type {any} */ err) => {
        if (err.code === 'ERR_PEER_NOT_FOUND') this.#refused(number);
      };
      return { head, value: null, failed };
    }
    return undefined;
  }
}

/** What wants to know of peers, by the patterns that their ids match. */
class Index {
  /** @type {Map<string, Set<any>>} */
  #names = new Map();
  #patterns = new Patterns();
  size = 0;

  /**
   * @param {string} pattern
   * @param {any} value
   */
  add(pattern, value) {
    this.size++;
    if (isPattern(pattern)) {
      this.#patterns.add(pattern, value);
      return;
    }
    const values = this.#names.get(pattern);
    if (values === undefined) this.#names.set(pattern, new Set([value]));
    else values.add(value);
  }

  /**
   * @param {string} pattern
   * @param {any} value that was added under it
   */
  delete(pattern, value) {
    this.size--;
    if (isPattern(pattern)) {
      this.#patterns.delete(pattern, value);
      return;
    }
    const values = this.#names.get(pattern);
    values?.delete(value);
    if (values?.size === 0) this.#names.delete(pattern);
  }

  /** @param {string} name */
  find(name) {
    const named = this.#names.get(name) ?? [];
    return this.#patterns.size === 0 ? [...named] : [...named, ...this.#patterns.find(name)];
  }
}

module.exports = { Asks, Index, UNWATCH, WATCH };
