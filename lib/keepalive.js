'use strict';

const { clearInterval, setInterval } = require('./platform.js');

/**
 * Hosts that listen, are connected or wait for something keep their process alive and write what they have when it exits.
 * @typedef {{onExit: () => void}} Active
 */

/** @type {Map<Active, NodeJS.Timeout>} */
const active = new Map();

const LONGEST_INTERVAL = 2 ** 31 - 1;

function onExit() {
  for (const host of active.keys()) host.onExit();
}

/**
 * @param {Active} host
 * @param {boolean} isActive
 */
function keepAlive(host, isActive) {
  const timer = active.get(host);
  if (isActive && timer === undefined) {
    if (active.size === 0) process.on('exit', onExit);
    active.set(host, setInterval(() => {}, LONGEST_INTERVAL));
  } else if (!isActive && timer !== undefined) {
    clearInterval(timer);
    active.delete(host);
    if (active.size === 0) process.removeListener('exit', onExit);
  }
}

module.exports = keepAlive;
