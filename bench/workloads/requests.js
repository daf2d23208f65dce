'use strict';

const flight = require('./flight.js');
const { Checker, messages } = require('../messages.js');
const { idOf } = require('./recipients.js');

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
      run: (/** @type {number} */ n) =>
        flight(n, cell.inFlight, (index) => {
          const asked = pool[index % pool.length];
          return node.request(to, asked).then((/** @type {any} */ reply) => {
            if (reply.id !== asked.id) throw new Error(`the reply to message ${asked.id} is ${JSON.stringify(reply)}`);
          });
        })
    };
  }
};
