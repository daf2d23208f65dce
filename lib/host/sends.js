'use strict';

const Ring = require('../crossing/ring.js');
const { Request } = require('../peer/request.js');
const { deliveryUnknown, fromFailure } = require('../common/errors.js');
const { Note, reject, resolve } = require('../common/pending.js');

/**
 * What stands for the promises of sends, requests and notes, by the numbers that the mesh gives to them. Their outcomes are counted
 * where their promises are settled.
 */
class Sends extends Ring {
  #counters;
  #trouble;

  /**
   * @param {import('./stats.js')} counters
   * @param {import('./trouble.js')} trouble
   */
  constructor(counters, trouble) {
    super();
    this.#counters = counters;
    this.#trouble = trouble;
  }

  /**
   * They were delivered.
   * @param {number} first
   * @param {number} count
   */
  delivered(first, count) {
    for (let number = first; number < first + count; number++) {
      const send = this.take(number);
      if (send !== undefined) this.#resolve(send, null);
    }
    this.#counters.outcomes.delivered += count;
  }

  /**
   * @param {number} number
   * @param {import('../common/errors.js').Failure} failure
   */
  failed(number, failure) {
    const send = this.take(number);
    if (send === undefined) return;
    if (send instanceof Request) send.undelivered(failure);
    // 0.4.0 does not know what else to say about a message that was delivered to a listener that threw.
    else if (failure.code === 'ERR_LISTENER_THREW') {
      if (!(send instanceof Note)) this.#counters.failed(failure);
      this.#resolve(send, undefined);
    } else this.#fail(send, fromFailure(failure));
  }

  /** The host is closed. Requests end by themselves. */
  closed() {
    this.clear((send, to) => {
      if (!(send instanceof Request)) this.#fail(send, deliveryUnknown(to));
    });
  }

  /**
   * @param {any} send
   * @param {any} value
   */
  #resolve(send, value) {
    try {
      resolve(send, value);
    } catch (err) {
      this.#trouble.promiseThrew(err);
    }
  }

  /**
   * @param {any} send
   * @param {Error} err
   */
  #fail(send, err) {
    if (!(send instanceof Note)) this.#counters.failed(err);
    try {
      reject(send, err);
    } catch (thrown) {
      this.#trouble.promiseThrew(thrown);
    }
  }
}

module.exports = Sends;
