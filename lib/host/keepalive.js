'use strict';

const { clearInterval, lastWords, setInterval } = require('../platform/index.js');

/**
 * Hosts that listen, are connected or wait for something keep their process alive, and have their last words when it ends.
 * @type {Map<import('../platform/node/lastwords.js').Speaker, NodeJS.Timeout>}
 */
const active = new Map();

const LONGEST_INTERVAL = 2 ** 31 - 1;

/**
 * @param {import('../platform/node/lastwords.js').Speaker} host
 * @param {boolean} isActive
 */
function keepAlive(host, isActive) {
  const timer = active.get(host);
  if (isActive && timer === undefined) {
    lastWords.listenTo(host);
    active.set(
      host,
      setInterval(() => {}, LONGEST_INTERVAL)
    );
  } else if (!isActive && timer !== undefined) {
    clearInterval(timer);
    active.delete(host);
    lastWords.forget(host);
  }
}

module.exports = keepAlive;
