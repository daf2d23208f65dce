'use strict';

const { hostDraining, overloaded } = require('../common/errors.js');
const { serializeId } = require('../crossing/outbound.js');

/** Says what may be sent now. */
class Guard {
  #life;

  /** @param {import('./life.js').Life} life */
  constructor(life) {
    this.#life = life;
    /** How often something was handed over. */
    this.handed = 0;
    /** Whether so much waits for a host that it is better to publish no more for now. */
    this.pressed = false;
    /** The end of `drain`, while that goes on. @type {any} */
    this.draining = null;
    /** Whether either is so, and sends have to be looked at. */
    this.guarded = false;
    /** Whether the host of `askedFor` takes no more, as it was after `askedAt` hand-overs. */
    this.refused = false;
    /** @type {any} */
    this.askedFor = undefined;
    this.askedAt = -1;
  }

  press() {
    this.pressed = this.guarded = true;
  }

  /**
   * Not much waits for any host any more.
   * @returns {boolean} whether that is new
   */
  relieve() {
    const { pressed } = this;
    this.pressed = false;
    this.guarded = this.draining !== null;
    return pressed;
  }

  /** There may be room again. */
  forget() {
    this.askedAt = -1;
  }

  /** @param {any} draining */
  setDraining(draining) {
    this.draining = draining;
    this.guarded = true;
  }

  /** Throws when nothing new may begin. */
  checkDraining() {
    if (this.draining !== null) throw hostDraining();
  }

  /**
   * Throws when nothing may be sent to that peer now.
   * @param {any} to
   */
  check(to) {
    this.checkDraining();
    // The answer is good until more is handed over.
    if (this.askedAt !== this.handed || this.askedFor !== to) {
      const { native } = this.#life;
      this.refused = native !== null && native.refuses(serializeId(to) || null);
      this.askedFor = to;
      this.askedAt = this.handed;
    }
    if (this.refused) throw overloaded(to);
  }
}

module.exports = Guard;
