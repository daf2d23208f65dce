'use strict';

const { abortError, fromFailure, handlerThrew } = require('../common/errors.js');
const { pend, promiseOf, reject, resolve } = require('../common/pending.js');
const { follow, unfollow } = require('../common/signals.js');

/** A request that waits for its reply. */
class Request {
  /**
   * @param {import('./requests.js').Requests} requests
   * @param {any} to
   * @param {number} timeout
   * @param {Abort | undefined} abort
   */
  constructor(requests, to, timeout, abort) {
    this.requests = requests;
    this.to = to;
    /** @type {number | undefined} under which the reply comes; none for a local peer */
    this.number = undefined;
    /** @type {string | undefined} the host that has accepted it */
    this.host = undefined;
    this.abort = abort;
    this.timeout = timeout;
    this.deadline = 0;
    this.pending = pend(requests.home.settings.Promise);
  }

  get promise() {
    return promiseOf(this.pending);
  }

  /** @param {any} value */
  succeed(value) {
    if (!this.requests.end(this)) return;
    if (this.number !== undefined) this.requests.home.counters.outcomes.replied++;
    resolve(this.pending, value);
  }

  /** @param {Error} err */
  fail(err) {
    if (!this.requests.end(this)) return;
    if (this.number !== undefined) this.requests.home.counters.failed(err);
    reject(this.pending, err);
  }

  /**
   * The message could not be delivered.
   * @param {import('../common/errors.js').Failure} failure
   */
  undelivered(failure) {
    switch (failure.code) {
      case 'ERR_REQUEST_TIMEOUT':
        return; // a matter of the request's own timeout: the reply may come yet
      case 'ERR_LISTENER_THREW':
      case 'ERR_LISTENER':
        this.fail(handlerThrew('The handler threw'));
        return;
      default:
        this.fail(fromFailure(failure));
    }
  }
}

/** What a signal does to a request. */
class Abort {
  /** @param {AbortSignal} signal */
  constructor(signal) {
    this.signal = signal;
    /** @type {Request | undefined} */
    this.request = undefined;
    this.onAbort = () => {
      this.request?.fail(abortError(signal));
    };
    follow(signal, this.onAbort);
  }

  /** Whether the signal is aborted by now. */
  isDue() {
    try {
      return this.signal.aborted;
    } catch {
      return false; // a signal of the program's own making
    }
  }

  end() {
    unfollow(this.signal, this.onAbort);
  }
}

module.exports = { Abort, Request };
