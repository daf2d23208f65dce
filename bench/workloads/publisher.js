'use strict';

const { PROBE, messages, now } = require('../messages.js');

const CHANNEL = 'news';

/**
 * What workloads have in common that publish to so many hosts.
 * @param {number} burst after so many messages the publisher lets the event loop turn
 */
function publisher(burst) {
  return {
    probed: true,
    arrivals: (/** @type {number} */ n, /** @type {any} */ cell) => n * cell.hosts,

    sender(/** @type {any} */ node, /** @type {any} */ cell) {
      const pool = messages(cell.message);
      return {
        probe: () => node.publish(CHANNEL, PROBE),
        async run(/** @type {number} */ n) {
          const start = now();
          for (let i = 0; i < n; i++) {
            node.publish(CHANNEL, pool[i % pool.length]);
            if (i % burst === burst - 1) await new Promise(setImmediate);
          }
          return { start };
        }
      };
    }
  };
}

module.exports = { CHANNEL, publisher };
