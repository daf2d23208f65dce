'use strict';

const flight = require('./flight.js');
const { messages } = require('../messages.js');
const { idOf, receiver } = require('./recipients.js');

/** Each send has its own `then`; a new one begins when one is acknowledged. */
module.exports = {
  receiver,
  arrivals: (/** @type {number} */ n) => n,

  sender(/** @type {any} */ node, /** @type {any} */ cell) {
    const pool = messages(cell.message);
    const to = idOf(0);
    return {
      run: (/** @type {number} */ n) => flight(n, cell.inFlight, (index) => node.send(to, pool[index % pool.length]))
    };
  }
};
