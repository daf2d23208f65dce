'use strict';

const { messages, now } = require('../messages.js');
const { idOf, receiver } = require('./recipients.js');

/** How many messages a second. */
const PACE = 1000;

/** Messages at a steady pace that leaves both processes idle for most of the time; done when all are acknowledged. */
module.exports = {
  receiver,
  arrivals: (/** @type {number} */ n) => n,

  sender(/** @type {any} */ node, /** @type {any} */ cell, /** @type {any} */ driver) {
    const pool = messages(cell.message);
    const to = idOf(0);
    return {
      async run(/** @type {number} */ n) {
        /** @type {any[]} */
        const promises = [];
        const start = now();
        await new Promise((/** @type {(value?: any) => void} */ resolve) => {
          const timer = setInterval(() => {
            // A timer may be late: then two are due.
            const due = Math.min(n, Math.floor((now() - start) * PACE));
            while (promises.length < due) promises.push(node.send(to, pool[promises.length % pool.length]));
            if (due < n) return;
            clearInterval(timer);
            resolve();
          }, 1000 / PACE);
        });
        await driver.Promise.all(promises);
        return { start, end: now() };
      }
    };
  }
};
