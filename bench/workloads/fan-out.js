'use strict';

const { Checker, PROBE, messages, now } = require('../messages.js');

const CHANNEL = 'news';

/** How many connections are made at the same time. */
const AT_A_TIME = 100;

/** One publish in each turn of the event loop, to subscribers that have connected; done when the last has the last message. */
module.exports = {
  hub: true,
  probed: true,

  async receiver(/** @type {import('../drivers/index.js').Hub['address']} */ { url, light }, /** @type {any} */ cell) {
    const subscribe = require(`../light/${light}.js`);
    const checker = new Checker(cell.message, cell.hosts, true);
    for (let first = 0; first < cell.hosts; first += AT_A_TIME) {
      const some = Array.from({ length: Math.min(AT_A_TIME, cell.hosts - first) }, (_, i) => first + i);
      await Promise.all(
        some.map((i) => subscribe(url, CHANNEL, (/** @type {any} */ message) => checker.take(i, message)))
      );
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
          await new Promise(setImmediate);
        }
        return { start };
      }
    };
  }
};
