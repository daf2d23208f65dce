'use strict';

const { Checker, messages, now } = require('../messages.js');
const { idOf } = require('./recipients.js');

/** How many requests wait for their replies at a time. */
const IN_FLIGHT = 100;

/** Requests to one peer that replies with what it is asked. */
module.exports = {
  async receiver(/** @type {any[]} */ [node], /** @type {any} */ cell) {
    const checker = new Checker(cell.message, 1, false);
    await node.answer(idOf(0), (/** @type {any} */ _from, /** @type {any} */ message) => {
      checker.take(0, message);
      return message;
    });
    return checker;
  },

  arrivals: (/** @type {number} */ n) => n,

  sender(/** @type {any} */ node, /** @type {any} */ cell) {
    const pool = messages(cell.message);
    const to = idOf(0);
    return {
      async run(/** @type {number} */ n) {
        const start = now();
        await new Promise((/** @type {(value?: any) => void} */ resolve, reject) => {
          let asked = 0;
          let replied = 0;
          const ask = () => node.request(to, pool[asked++ % pool.length]).then(done, reject);
          const done = () => {
            if (++replied === n) resolve();
            else if (asked < n) ask();
          };
          while (asked < Math.min(n, IN_FLIGHT)) ask();
        });
        return { start, end: now() };
      }
    };
  }
};
