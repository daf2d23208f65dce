'use strict';

/**
 * What peers ask of their host.
 * @typedef {object} Owner
 * @property {Pick<import('../notes/broadcasts.js'), 'begin'>} broadcasts
 * @property {Pick<import('./requests.js').Requests, 'request'>} requests
 */

/**
 * The host behind the function that a peer sends with. Peers keep nothing but that function: a million of them must stay small.
 * @type {WeakMap<Function, Owner>}
 */
const owners = new WeakMap();

module.exports = owners;
