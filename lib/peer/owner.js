'use strict';

/**
 * The host behind the function that a peer sends with. Peers keep nothing but that function: a million of them must stay small.
 * @type {WeakMap<Function, import('../host/core.js')>}
 */
const owners = new WeakMap();

module.exports = owners;
