'use strict';

const { nameOf } = require('../common/errors.js');
const { Patterns, isPattern } = require('../channels/patterns.js');
const { takeChunk } = require('./telling.js');

/** Heads of notes about watches. */
const WATCH = 'w';
const UNWATCH = 'u';
const CHANGES = 'c';

/** @typedef {{id: any, told: boolean, here: boolean, alone: boolean}} Change whether the host believes that the peer is there, and whether it is */

/** One host's watch of the peers here: what has changed and it has not been told, as a source of its line. */
class Watcher {
  /** By id as text. @type {Map<string, Change>} */
  #changed = new Map();
  #end;

  /**
   * @param {string} host
   * @param {number} number
   * @param {string} pattern
   * @param {(watcher: Watcher) => void} end called when that host does not want to know any more
   */
  constructor(host, number, pattern, end) {
    this.host = host;
    this.number = number;
    this.pattern = pattern;
    this.#end = end;
  }

  /**
   * @param {any} id
   * @param {boolean} here
   */
  changed(id, here) {
    const key = nameOf(id);
    const change = this.#changed.get(key);
    if (change === undefined) this.#changed.set(key, { id, told: !here, here, alone: false });
    // Who has come and gone before anything was told of it is not told of at all.
    else if (!here && !change.told) this.#changed.delete(key);
    else Object.assign(change, { id, here });
  }

  /** Its host does not want to know any more. */
  stop() {
    this.#changed.clear();
  }

  next() {
    if (this.#changed.size === 0) return undefined;
    const taken = takeChunk(this.#changed, ({ id, alone }) => (alone ? Infinity : nameOf(id).length + 8));
    // Who was there and is there again has been away.
    const value = taken.flatMap(({ id, told, here }) =>
      told && here
        ? [
            [0, id],
            [1, id]
          ]
        : [[here ? 1 : 0, id]]
    );
    const failed = (/** @type {any} */ err) => {
      if (err.code === 'ERR_PEER_NOT_FOUND') this.#end(this);
      // What is too large even alone is an id that the host would not accept.
      else if (err.code === 'ERR_MESSAGE_TOO_LARGE' && taken.length > 1) this.#again(taken);
    };
    return { head: CHANGES + JSON.stringify([this.number]), value, failed };
  }

  /**
   * Tells each alone.
   * @param {Change[]} changes
   */
  #again(changes) {
    const later = this.#changed;
    this.#changed = new Map(changes.map((change) => [nameOf(change.id), { ...change, alone: true }]));
    for (const { id, here } of later.values()) this.changed(id, here);
  }
}

/** Which watches of ours one host has to be told of, as a source of its line. */
class Asks {
  /** By number: what to say. @type {Map<number, string>} */
  #waiting = new Map();

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
      return { head, value: null };
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

module.exports = { Asks, CHANGES, Index, UNWATCH, WATCH, Watcher };
