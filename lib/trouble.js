'use strict';

const { error } = require('./errors.js');
const { now } = require('./platform.js');

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
    const message = `${what}: ${textOf(err)}`;
    const events = this.#events();
    if (!ofError && events.count('error') > 0) {
      events.emit('error', error('ERR_LISTENER_THREW', message, { cause: err }));
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
    const detail = err instanceof Error ? err.stack : undefined;
    process.emitWarning(message + more, { type: 'DistribusWarning', code: 'ERR_LISTENER_THREW', detail });
  }

  /** @param {Error} err */
  tell(err) {
    if (!this.#events().emit('error', err)) process.emitWarning(err);
  }
}

/** @param {any} err */
function textOf(err) {
  try {
    return err instanceof Error ? err.message : String(err);
  } catch {
    return 'something that has no text';
  }
}

module.exports = Trouble;
