'use strict';

const { Checker } = require('../messages.js');

/** @param {number} index */
const idOf = (index) => 'recipient-' + index;

/**
 * Which host each recipient lives on.
 * @param {any} cell
 * @returns {Map<string, number>}
 */
function directory({ recipients, hosts }) {
  return new Map(Array.from({ length: recipients }, (_, i) => [idOf(i), i % hosts]));
}

/**
 * Creates the recipients of a cell, spread over the hosts.
 * @param {any[]} nodes
 * @param {any} cell
 */
async function receiver(nodes, cell) {
  const checker = new Checker(cell.message, cell.recipients, false);
  for (let i = 0; i < cell.recipients; i++) {
    await nodes[i % nodes.length].receive(idOf(i), (/** @type {any} */ _from, /** @type {any} */ message) =>
      checker.take(i, message)
    );
  }
  return checker;
}

module.exports = { directory, idOf, receiver };
