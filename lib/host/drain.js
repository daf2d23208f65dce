'use strict';

const { clearTimeout, now, setTimeout } = require('../platform/index.js');
const { error, hostClosed } = require('../common/errors.js');
const { checkDelay } = require('../common/validate.js');

/** How long what is in flight may take to settle, in ms, unless the program says otherwise. */
const TIMEOUT = 30000;

/**
 * Closes a host when everything is settled that is in flight from here, and every request answered that its peers have been asked
 * before: nobody new is taken in and nothing new is sent meanwhile.
 * @param {any} host
 * @param {import('./core.js')} core
 * @param {any} options `timeout`: how long that may take, in ms
 * @returns {any} resolves with the host; rejects when something was undelivered at the timeout, after closing all the same
 */
function drain(host, core, options) {
  const timeout = options?.timeout ?? TIMEOUT;
  if (timeout !== Infinity) checkDelay('timeout', timeout);
  if (core.life.native === null || core.life.closing !== null) return host.close();
  if (core.guard.draining !== null) return core.guard.draining;
  core.flush();
  const until = now() + timeout;
  const { native } = core.life;
  const settle = () => {
    if (core.life.native !== native || core.life.closing !== null) throw hostClosed();
    return core.call((native, call) => native.drain(call));
  };
  const { notes, requests } = core;
  const { groups } = notes;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let undelivered = 0;
  let unanswered = 0;
  const late = new core.settings.Promise((/** @type {any} */ resolve) => {
    if (timeout === Infinity) return;
    timer = setTimeout(() => {
      undelivered = core.stats().undelivered + groups.waiting;
      unanswered = requests.numbered.size + requests.unserved + notes.asked;
      resolve();
    }, timeout);
  });
  /** @returns {Promise<any>} */
  const finish = () =>
    Promise.all([settle(), requests.answered(), notes.answered(), groups.settled(), requests.served()])
      // The replies that this leads to have to arrive as well, and others may have asked meanwhile.
      .then(settle)
      .then(() => (requests.serving.size > 0 ? finish() : undefined));
  const settled = finish();
  // It is rejected when the host is closed meanwhile.
  const end = () => {
    clearTimeout(timer);
    // That the others answer the goodbye is waited for within the same time.
    if (timeout !== Infinity) core.life.closeWithin = Math.max(0, until - now());
    return host.close();
  };
  const drained = core.settings.Promise.race([settled, late])
    .then(end, end)
    .then(() => {
      if (undelivered === 0 && unanswered === 0) return host;
      const message = `Host closed after ${timeout} ms with ${undelivered} messages undelivered and ${unanswered} requests unanswered`;
      throw error('ERR_DRAIN_TIMEOUT', message, { undelivered, unanswered });
    });
  core.guard.setDraining(drained);
  return drained;
}

module.exports = drain;
