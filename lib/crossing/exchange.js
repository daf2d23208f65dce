'use strict';

const Batch = require('./batch.js');
const apply = require('./inbound.js');
const { now, setImmediate } = require('../platform/index.js');

/** After so long the program's other work has its turn, in ms, also when more events wait. */
const SLICE = 10;

/**
 * @typedef {object} Home
 * @property {{readonly native: import('./contract.js').Carrier | null}} life
 * @property {Pick<import('../host/guard.js'), 'handed' | 'press' | 'forget'>} guard
 * @property {import('./outbound.js').Outbound} outbound
 * @property {import('./inbound.js').Parts} parts
 * @property {() => void} rest lets the process end, or not, as it is to now
 */

/** Gets the events that wait from the native host and applies them, batch by batch. */
class Exchange {
  #home;
  /** The batch that is continued in the next slice. @type {Batch | null} */
  #rest = null;

  /** @param {Home} home */
  constructor(home) {
    this.#home = home;
  }

  /**
   * Applies what waits, for a slice of time. What listeners send meanwhile is handed over together with the word that they have returned.
   */
  run() {
    const { life, outbound } = this.#home;
    const { native } = life;
    let batch = this.#rest;
    this.#rest = null;
    if (native === null) return;
    if (batch !== null && batch.native !== native) batch = null; // of an earlier life
    // A batch knows when it came: most of the time the clock need not be looked at again.
    let until = batch === null ? 0 : now() + SLICE;
    /** @type {string | null} */
    let replies = null;
    outbound.applying = true;
    for (;;) {
      batch ??= this.#next(native, replies);
      if (batch === null) break;
      if (until === 0) until = batch.since + SLICE;
      if (!apply(batch, until)) {
        this.#rest = batch;
        break;
      }
      replies = batch.takeReplies();
      batch = null;
      if (life.native !== native) break; // closed by what was applied
    }
    outbound.applying = false;
    if (life.native !== native) this.#rest = null;
    else this.#home.rest();
    if (this.#rest === null) return;
    if (outbound.waits && !outbound.scheduled) outbound.schedule();
    setImmediate(() => this.run());
  }

  /**
   * @param {import('./contract.js').Carrier} native
   * @param {string | null} replies to the batch before
   */
  #next(native, replies) {
    const { guard, outbound, parts } = this.#home;
    const { beside, published, tight, waits } = outbound;
    const text = native.exchange(replies, waits ? outbound.take() : null, beside);
    if (waits) {
      guard.handed++;
      // Where little may wait, what is sent counts before anything is published.
      if ((published || tight) && native.isPressed()) guard.press();
    }
    if (text === null) return null;
    guard.forget();
    return new Batch(parts, native, text);
  }
}

module.exports = Exchange;
