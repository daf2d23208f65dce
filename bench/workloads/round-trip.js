'use strict';

const { messages, now } = require('../messages.js');
const { idOf, receiver } = require('./recipients.js');

/** One message at a time: the next is sent when the last is acknowledged. */
module.exports = {
  receiver,
  arrivals: (/** @type {number} */ n) => n,

  sender(/** @type {any} */ node, /** @type {any} */ cell) {
    const pool = messages(cell.message);
    const to = idOf(0);
    return {
      async run(/** @type {number} */ n) {
        const start = now();
        for (let i = 0; i < n; i++) await node.send(to, pool[i % pool.length]);
        return { start, end: now() };
      }
    };
  }
};
