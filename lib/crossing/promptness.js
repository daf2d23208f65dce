'use strict';

const { now } = require('../platform/index.js');

/** So many times in a row something may be handed over by itself, and once more after each so many ms. */
const MOST = 8;
const INTERVAL = 1;

/**
 * Whether what was published is handed over at once rather than with what follows in the same turn. A thread that blocks afterwards, or
 * computes for long, has said it then. Where much is published, a frame for each would cost more than it is worth: there it is seldom.
 */
class Promptness {
  #left = MOST;
  #since = 0;

  /** Whether once more is all right. If so, it has been. */
  take() {
    const time = now();
    this.#left = Math.min(MOST, this.#left + (time - this.#since) / INTERVAL);
    this.#since = time;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

module.exports = Promptness;
