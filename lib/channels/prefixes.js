'use strict';

const { isMany } = require('./matching.js');

/** Keys are not longer, so that so many searches find everything. */
const LONGEST = 64;

/**
 * @param {string} pattern or name
 * @returns {string} how every name begins that matches
 */
function prefixOf(pattern) {
  const star = pattern.indexOf('*');
  if (star === -1) return pattern.slice(0, LONGEST);
  // The name `a` matches `a.**` as well.
  const dotted = star > 0 && pattern[star - 1] === '.' && isMany(pattern, star);
  return pattern.slice(0, Math.min(dotted ? star - 1 : star, LONGEST));
}

/**
 * Values under patterns and names, by how these begin: what is found for a name are all those that may match it. That takes less memory
 * than a trie, and the time is known: whoever searches looks at what is found, as far as it wants to.
 * @template {object} T
 */
class Prefixes {
  /** @type {Map<string, T | Set<T>>} */
  #values = new Map();
  /** How many keys are so long. */
  #lengths = new Uint32Array(LONGEST + 1);

  /** @returns {IterableIterator<string>} */
  keys() {
    return this.#values.keys();
  }

  /**
   * @param {string} key
   * @param {T} value that is not there yet
   * @returns {boolean} whether it is the first one there
   */
  add(key, value) {
    const there = this.#values.get(key);
    if (there instanceof Set) {
      there.add(value);
      return false;
    }
    this.#values.set(key, there === undefined ? value : new Set([there, value]));
    if (there === undefined) this.#lengths[key.length]++;
    return there === undefined;
  }

  /**
   * @param {string} key
   * @param {T} value
   * @returns {boolean} whether it was the last one there
   */
  delete(key, value) {
    const there = this.#values.get(key);
    if (there instanceof Set) {
      there.delete(value);
      if (there.size > 0) return false;
    } else if (there !== value) {
      return false;
    }
    this.#values.delete(key);
    this.#lengths[key.length]--;
    return true;
  }

  /**
   * @param {string} name
   * @returns {(T | Set<T>)[]} everything under patterns that may match
   */
  find(name) {
    /** @type {(T | Set<T>)[]} */
    const found = [];
    const longest = Math.min(name.length, LONGEST);
    for (let length = 0; length <= longest; length++) {
      if (this.#lengths[length] === 0) continue;
      const there = this.#values.get(name.slice(0, length));
      if (there !== undefined) found.push(there);
    }
    return found;
  }
}

module.exports = { Prefixes, prefixOf };
