'use strict';

const { messages, now } = require('../messages.js');
const { idOf, receiver } = require('./recipients.js');

/** All messages at once, in one turn of the event loop; done when the last acknowledgement is there. */
module.exports = {
  receiver,
  arrivals: (/** @type {number} */ n) => n,

  sender(/** @type {any} */ node, /** @type {any} */ cell, /** @type {any} */ driver) {
    const pool = messages(cell.message);
    const ids = Array.from({ length: cell.recipients }, (_, i) => idOf(i));
    return {
      async run(/** @type {number} */ n) {
        const promises = new Array(n);
        const start = now();
        for (let i = 0, recipient = 0, round = 0; i < n; i++) {
          promises[i] = node.send(ids[recipient], pool[(round + recipient) % pool.length]);
          if (++recipient === ids.length) {
            recipient = 0;
            round++;
          }
        }
        await driver.Promise.all(promises);
        return { start, end: now() };
      }
    };
  }
};
