'use strict';

const { microtask, now, setImmediate, setTimeout } = require('../platform/index.js');

/** How long others cause work at a time, in ms, and how long one of them does. */
const SLICE = 2;
const SHARE = 0.5;

/** After so many slices in a row there are pauses between them, in ms, so that most of the time is left to the program. */
const MANY = 50;
const PAUSE = 6;

/** @typedef {{work: (until: number) => boolean}} Worker does a bit, until that time by `now()` at most; returns whether there is more. It does not throw */

/**
 * Work that other hosts cause, and that may be much: it begins when what runs now has ended, and goes on bit by bit between everything
 * else that the process does. Those who wait take turns.
 */
class Slices {
  /** @type {Set<Worker>} */
  #waiting = new Set();
  #scheduled = false;
  #row = 0;
  #run = () => this.#slice();

  /** @param {Worker} worker that has something to do */
  add(worker) {
    this.#waiting.add(worker);
    if (this.#scheduled) return;
    this.#scheduled = true;
    microtask(this.#run);
  }

  /** @param {Worker} worker that has nothing to do any more */
  delete(worker) {
    this.#waiting.delete(worker);
  }

  #slice() {
    const end = now() + SLICE;
    for (let time = end - SLICE; time < end; time = now()) {
      const { value: worker, done } = this.#waiting.values().next();
      if (done) {
        this.#scheduled = false;
        this.#row = 0;
        return;
      }
      this.#waiting.delete(worker);
      if (worker.work(Math.min(time + SHARE, end))) this.#waiting.add(worker);
    }
    if (this.#row++ < MANY) setImmediate(this.#run);
    else setTimeout(this.#run, PAUSE).unref();
  }
}

module.exports = Slices;
