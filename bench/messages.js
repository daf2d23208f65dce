'use strict';

// What is sent, and the check that it arrives: complete, in order, with the right content, at the right recipient.

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Sent before the clock starts, until every receiver has heard one. Never counted. */
const PROBE = 'probe';

/**
 * The kind and the size of a cell's messages. The size of an object is that of its JSON text.
 * @typedef {{ kind: 'string' | 'object', size: number }} MessageSpec
 */

/**
 * A flat string of ASCII characters that begins with a number.
 * @param {number} number
 * @param {number} size
 */
function text(number, size) {
  let value = String(number) + ':';
  while (value.length < size) value += ALPHABET[(number + value.length) % ALPHABET.length];
  return Buffer.from(value.slice(0, size), 'latin1').toString('latin1');
}

/**
 * @param {number} number
 * @param {number} size
 */
function object(number, size) {
  const value = {
    id: number,
    type: 'order.created',
    customer: { name: 'Ada Lovelace', country: 'GB', since: 1843 },
    lines: [
      { article: 4711, count: 2, price: 12.5 },
      { article: 815, count: 1, price: 99 }
    ],
    paid: true,
    note: ''
  };
  value.note = text(number, size - JSON.stringify(value).length);
  return value;
}

/**
 * The messages of a cell, all different. Senders go through them again and again, so that making them costs nothing while
 * the clock runs.
 * @param {MessageSpec} spec
 * @returns {any[]}
 */
function messages({ kind, size }) {
  const count = size > 10000 ? 20 : 1000;
  return Array.from({ length: count }, (_, i) => (kind === 'object' ? object(1000 + i, size) : text(1000 + i, size)));
}

/** Counts what comes in and compares it with what must come in. */
class Checker {
  /**
   * @param {MessageSpec} spec
   * @param {number} recipients
   * @param {boolean} alike whether all recipients get the same messages, instead of each its own
   */
  constructor(spec, recipients, alike) {
    this.pool = messages(spec);
    this.shift = alike ? 0 : 1;
    this.same = spec.kind === 'object' ? sameObject : Object.is;
    this.next = new Array(recipients).fill(0);
    this.probed = new Array(recipients).fill(false);
    this.reset(0);
  }

  /** @param {number} expected how many messages must come in */
  reset(expected) {
    this.next.fill(0);
    this.expected = expected;
    this.received = 0;
    /** @type {string | null} */
    this.wrong = null;
    this.lastAt = 0;
    /** @type {Promise<void>} */
    this.complete = new Promise((resolve) => {
      this.onComplete = resolve;
    });
  }

  /**
   * @param {number} recipient
   * @param {any} message
   */
  take(recipient, message) {
    if (message === PROBE) {
      this.probed[recipient] = true;
      return;
    }
    const index = this.next[recipient]++;
    const expected = this.pool[(index + recipient * this.shift) % this.pool.length];
    if (!this.same(message, expected) && this.wrong === null) {
      const show = (/** @type {any} */ value) => String(JSON.stringify(value)).slice(0, 80);
      this.wrong = `message ${index} of recipient ${recipient} is ${show(message)} instead of ${show(expected)}`;
    }
    this.received++;
    if (this.received === this.expected) {
      this.lastAt = now();
      this.onComplete();
    }
  }
}

/**
 * Compares two fields of each object and all of some, because a full comparison would cost more than the sending.
 * @param {any} a
 * @param {any} b
 */
function sameObject(a, b) {
  return a.id === b.id && a.note === b.note && (b.id % 50 !== 0 || JSON.stringify(a) === JSON.stringify(b));
}

/** The time in seconds, on a clock that all processes of the machine share. */
function now() {
  return Number(process.hrtime.bigint()) / 1e9;
}

module.exports = { Checker, PROBE, messages, now };
