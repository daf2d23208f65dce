'use strict';

/**
 * A workload between two processes. `receiver` is told of the nodes that listen, `sender` of the one that is connected with
 * them; `run` sends n messages and gives the times at which it began and at which it was done.
 * @typedef {object} NetworkWorkload
 * @property {(nodes: any[], cell: any) => any} receiver gives a Checker
 * @property {(node: any, cell: any, driver: any) => { run(n: number): Promise<{ start: number, end?: number }>, probe?(): void }} sender
 * @property {(n: number, cell: any) => number} arrivals how many messages must come in when n are sent
 * @property {boolean} [probed] whether messages are published until everybody has heard one, before the clock runs
 * @property {boolean} [hub] whether those that receive connect with the one that sends: `receiver` gets the address of that one
 */

/**
 * A workload inside one process.
 * @typedef {object} LocalWorkload
 * @property {(driver: any, cell: any) => Promise<any>} alone
 */

module.exports = {
  'round-trip': require('./round-trip.js'),
  acked: require('./acked.js'),
  'in-flight': require('./in-flight.js'),
  paced: require('./paced.js'),
  'fan-out': require('./fan-out.js'),
  publish: require('./publish.js'),
  requests: require('./requests.js'),
  local: require('./local.js'),
  create: require('./create.js'),
  memory: require('./memory.js'),
  startup: require('./startup.js')
};
