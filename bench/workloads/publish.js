'use strict';

const { Checker, PROBE, messages, now } = require('../messages.js');

const CHANNEL = 'news';

/** After so many messages the publisher lets the event loop turn. */
const BURST = 1000;

/** Publishes without waiting; done when the last subscriber has the last message. */
module.exports = {
  probed: true,

  async receiver(/** @type {any[]} */ nodes, /** @type {any} */ cell) {
    const checker = new Checker(cell.message, nodes.length, true);
    for (let i = 0; i < nodes.length; i++) {
      await nodes[i].subscribe(CHANNEL, (/** @type {any} */ message) => checker.take(i, message));
    }
    return checker;
  },

  arrivals: (/** @type {number} */ n, /** @type {any} */ cell) => n * cell.hosts,

  sender(/** @type {any} */ node, /** @type {any} */ cell) {
    const pool = messages(cell.message);
    return {
      probe: () => node.publish(CHANNEL, PROBE),
      async run(/** @type {number} */ n) {
        const start = now();
        for (let i = 0; i < n; i++) {
          node.publish(CHANNEL, pool[i % pool.length]);
          if (i % BURST === BURST - 1) await new Promise(setImmediate);
        }
        return { start };
      }
    };
  }
};
