'use strict';

/**
 * Takes the first entry out of a map again and again, while others are put in. To begin at the start each time would walk past the
 * places of all that were taken before, which a map keeps for a while.
 * @template K, V
 */
class Firsts {
  #map;
  /** @type {IterableIterator<[K, V]>} */
  #left;

  /** @param {Map<K, V>} map out of which nobody else takes the first entry */
  constructor(map) {
    this.#map = map;
    this.#left = map.entries();
  }

  /** @returns {[K, V] | undefined} the entry, which is not in the map any more */
  take() {
    if (this.#map.size === 0) return undefined;
    let next = this.#left.next();
    if (next.done) {
      // What has come since it ended.
      this.#left = this.#map.entries();
      next = this.#left.next();
    }
    this.#map.delete(next.value[0]);
    return next.value;
  }
}

module.exports = Firsts;
