'use strict';

/**
 * Things that wait under consecutive numbers and leave nearly in order: the promises of sends. A circular array; no hashing, and
 * nothing moves unless it grows.
 * @template T
 */
class Ring {
  constructor() {
    /** @type {(T | undefined)[]} */
    this.slots = new Array(16).fill(undefined);
    this.first = 0; // number of the oldest one that may still be there
    this.next = 0; // number of the next one
    this.size = 0;
  }

  /**
   * @param {T} item
   * @returns {number} its number
   */
  push(item) {
    const { slots } = this;
    if (this.next - this.first === slots.length) this.grow();
    const number = this.next++;
    this.slots[number & (this.slots.length - 1)] = item;
    this.size++;
    return number;
  }

  /**
   * @param {number} number
   * @returns {T | undefined}
   */
  take(number) {
    if (number < this.first || number >= this.next) return undefined;
    const mask = this.slots.length - 1;
    const item = this.slots[number & mask];
    if (item === undefined) return undefined;
    this.slots[number & mask] = undefined;
    this.size--;
    while (this.first < this.next && this.slots[this.first & mask] === undefined) this.first++;
    return item;
  }

  /**
   * Takes several, oldest first.
   * @param {number} number of the first one
   * @param {number} count
   * @param {(item: T) => void} use
   */
  takeAll(number, count, use) {
    for (const end = number + count; number < end; number++) {
      const item = this.take(number);
      if (item !== undefined) use(item);
    }
  }

  grow() {
    const old = this.slots;
    const bigger = new Array(old.length * 2).fill(undefined);
    for (let number = this.first; number < this.next; number++) {
      bigger[number & (bigger.length - 1)] = old[number & (old.length - 1)];
    }
    this.slots = bigger;
  }

  /**
   * Empties the ring and numbers from 0 again.
   * @returns {T[]} what was in it, in order
   */
  clear() {
    const items = [];
    for (let number = this.first; number < this.next; number++) {
      const item = this.take(number);
      if (item !== undefined) items.push(item);
    }
    this.slots = new Array(16).fill(undefined);
    this.first = this.next = this.size = 0;
    return items;
  }
}

module.exports = Ring;
