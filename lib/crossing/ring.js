'use strict';

/** A ring that is full of holes is not let grow beyond this. */
const SPARSE = 1024;

/**
 * Things that wait under consecutive numbers and leave nearly in order: the promises of sends, each with a note. A circular array: no
 * hashing, and nothing moves unless it is full. Those that stay while most others leave are put aside then, so that one message
 * to somebody who is frozen does not have room kept for millions of later ones.
 */
class Ring {
  constructor() {
    /** @type {any[]} */
    this.slots = new Array(16).fill(undefined);
    /** @type {any[]} */
    this.notes = new Array(16).fill(undefined);
    /** Those put aside, by their numbers, in order. @type {Map<number, {item: any, note: any}>} */
    this.aside = new Map();
    this.first = 0; // number of the oldest one that may still be in the array
    this.next = 0; // number of the next one
    this.size = 0;
  }

  /**
   * @param {any} item not undefined
   * @param {any} note
   */
  push(item, note) {
    if (this.next - this.first === this.slots.length) {
      const { length } = this.slots;
      if (length >= SPARSE && this.size - this.aside.size <= length / 4) this.putAside(this.first + length / 2);
      else this.grow();
    }
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
    if (number < this.first) return this.takeAside(number);
    if (number >= this.next) return undefined;
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

  /** @param {number} number */
  takeAside(number) {
    const kept = this.aside.get(number);
    if (kept === undefined) return undefined;
    this.aside.delete(number);
    this.size--;
    return kept.item;
  }

  /**
   * @param {number} number whose item was taken
   * @param {any} item
   * @param {any} note
   */
  putBack(number, item, note) {
    if (number < this.first) {
      this.aside.set(number, { item, note });
    } else {
      const index = number & (this.slots.length - 1);
      this.slots[index] = item;
      this.notes[index] = note;
    }
    this.size++;
  }

  /** @param {number} upto everything before that number */
  putAside(upto) {
    const { slots, notes, aside } = this;
    const mask = slots.length - 1;
    for (; this.first < upto; this.first++) {
      const index = this.first & mask;
      if (slots[index] === undefined) continue;
      aside.set(this.first, { item: slots[index], note: notes[index] });
      slots[index] = notes[index] = undefined;
    }
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
    const { slots, notes, aside, first, next } = this;
    const mask = slots.length - 1;
    this.aside = new Map();
    this.slots = new Array(16).fill(undefined);
    this.notes = new Array(16).fill(undefined);
    this.first = this.next = this.size = 0;
    for (const { item, note } of aside.values()) use(item, note);
    for (let number = first; number < next; number++) {
      if (slots[number & mask] !== undefined) use(slots[number & mask], notes[number & mask]);
    }
  }
}

module.exports = Ring;
