'use strict';

/**
 * Things that wait under consecutive numbers and leave nearly in order: the promises of sends, each with a note. A circular array: no
 * hashing, and nothing moves unless it grows.
 */
class Ring {
  constructor() {
    /** @type {any[]} */
    this.slots = new Array(16).fill(undefined);
    /** @type {any[]} */
    this.notes = new Array(16).fill(undefined);
    this.first = 0; // number of the oldest one that may still be there
    this.next = 0; // number of the next one
    this.size = 0;
  }

  /**
   * @param {any} item not undefined
   * @param {any} note
   */
  push(item, note) {
    if (this.next - this.first === this.slots.length) this.grow();
    const index = this.next++ & (this.slots.length - 1);
    this.slots[index] = item;
    this.notes[index] = note;
    this.size++;
  }

  /**
   * @param {number} number
   * @returns {any}
   */
  take(number) {
    if (number < this.first || number >= this.next) return undefined;
    const { slots } = this;
    const mask = slots.length - 1;
    const item = slots[number & mask];
    if (item === undefined) return undefined;
    slots[number & mask] = undefined;
    this.notes[number & mask] = undefined;
    this.size--;
    while (this.first < this.next && slots[this.first & mask] === undefined) this.first++;
    return item;
  }

  grow() {
    const length = this.slots.length * 2;
    const slots = new Array(length).fill(undefined);
    const notes = new Array(length).fill(undefined);
    for (let number = this.first; number < this.next; number++) {
      slots[number & (length - 1)] = this.slots[number & (this.slots.length - 1)];
      notes[number & (length - 1)] = this.notes[number & (this.slots.length - 1)];
    }
    this.slots = slots;
    this.notes = notes;
  }

  /**
   * Empties the ring and numbers from 0 again.
   * @param {(item: any, note: any) => void} use is called with what was in it, in order
   */
  clear(use) {
    const { slots, notes, first, next } = this;
    const mask = slots.length - 1;
    this.slots = new Array(16).fill(undefined);
    this.notes = new Array(16).fill(undefined);
    this.first = this.next = this.size = 0;
    for (let number = first; number < next; number++) {
      if (slots[number & mask] !== undefined) use(slots[number & mask], notes[number & mask]);
    }
  }
}

module.exports = Ring;
