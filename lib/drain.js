'use strict';

const { error } = require('./errors.js');
const { checkDelay } = require('./validate.js');

/** How long what is under way may take to settle, in ms, unless the program says otherwise. */
const TIMEOUT = 30000;

/**
 * Closes a host when everything is settled that is under way from here: nobody new is taken in and nothing new is sent meanwhile.
 * @param {any} host
 * @param {import('./core.js')} core
 * @param {any} options `timeout`: how long that may take, in ms
 * @returns {any} resolves with the host; rejects when something was undelivered at the timeout, after closing all the same
 */
function drain(host, core, options) {
  const timeout = options?.timeout ?? TIMEOUT;
  checkDelay('timeout', timeout);
  if (core.native === null || core.closing !== null) return host.close();
  core.flush();
  core.setDraining(true);
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let undelivered = 0;
  const settled = core.call((native, call) => native.drain(call));
  const late = new core.Promise((/** @type {any} */ resolve) => {
    timer = setTimeout(() => {
      undelivered = core.stats().undelivered;
      resolve();
    }, timeout);
  });
  // It is rejected when the host is closed meanwhile.
  const end = () => {
    clearTimeout(timer);
    return host.close();
  };
  return core.Promise.race([settled, late]).then(end, end).then(() => {
    if (undelivered > 0) {
      const message = `Host closed with ${undelivered} messages undelivered after ${timeout} ms`;
      throw error('ERR_DRAIN_TIMEOUT', message, { undelivered });
    }
    return host;
  });
}

module.exports = drain;
