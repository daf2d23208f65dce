'use strict';

const { badProperty, error, textOf } = require('../common/errors.js');
const { now, warn } = require('../platform/index.js');

/** Warnings about listeners that throw are given at most this often, in ms. */
const REPORT_INTERVAL = 1000;

/**
 * Tells about trouble that no promise and no caller gets to know: to the listeners of the host's event 'error', or, when there are none, by
 * a warning of the process.
 */
class Trouble {
  #events;
  #reported = -Infinity;
  #unreported = 0;
  #warnedOfDrops = false;

  /** @param {() => import('./events.js')} events */
  constructor(events) {
    this.#events = events;
  }

  /**
   * A listener of the program has thrown, and nobody here can catch it.
   * @param {string} what
   * @param {any} err
   * @param {boolean} [ofError] it was a listener of the event 'error' itself
   */
  threw(what, err, ofError = false) {
    this.#say(error('ERR_LISTENER_THREW', `${what}: ${textOf(err)}`, { cause: err }), ofError);
  }

  /** @param {any} err that a method of the promises of a class that the program has chosen has thrown */
  promiseThrew(err) {
    this.threw('The class of promises threw', err);
  }

  /**
   * @param {string} url
   * @param {any} channel
   * @param {number} count how many published messages do not go to that host
   */
  dropped(url, channel, count) {
    if (this.#events().emit('drop', url, channel, count) || this.#warnedOfDrops) return;
    this.#warnedOfDrops = true;
    const message = `What was published does not reach ${url}: too much waits for it, or it is gone. Listen to the host's event 'drop' to learn of it.`;
    Trouble.warn(message, { type: 'DistribusWarning', code: 'DISTRIBUS_DROPPED' });
  }

  /**
   * What a program has put into the host cannot be used.
   * @param {string} what
   * @param {any} err
   */
  unusable(what, err) {
    this.#say(badProperty(what, err), false);
  }

  /** @param {Error} err */
  tell(err) {
    if (!this.#events().emit('error', err)) Trouble.warn(err);
  }

  /**
   * Nobody is left to be told of a warning that cannot be given: programs replace what gives them.
   * @param {string | Error} warning
   * @param {any} [options]
   */
  static warn(warning, options) {
    try {
      warn(warning, options);
    } catch {
      // The next event must be applied all the same.
    }
  }

  /**
   * @param {Error & {code: string}} err
   * @param {boolean} ofError
   */
  #say(err, ofError) {
    const events = this.#events();
    if (!ofError && events.count('error') > 0) {
      events.emit('error', err);
      return;
    }
    const time = now();
    if (time - this.#reported < REPORT_INTERVAL) {
      this.#unreported++;
      return;
    }
    const more = this.#unreported > 0 ? ` (and ${this.#unreported} more before)` : '';
    this.#reported = time;
    this.#unreported = 0;
    Trouble.warn(err.message + more, { type: 'DistribusWarning', code: err.code, detail: stackOf(err.cause) });
  }
}

/**
 * @param {any} err
 * @returns {string | undefined}
 */
function stackOf(err) {
  try {
    return err instanceof Error ? String(err.stack) : undefined;
  } catch {
    return undefined;
  }
}

module.exports = Trouble;
