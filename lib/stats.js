'use strict';

/** What the outcomes of sends are called. */
const OUTCOMES = [
  'delivered', 'threw', 'notFound', 'unreachable', 'overloaded', 'tooLarge', 'notSupported', 'unknown', 'timeout', 'closed'
];

/**
 * Counters of a host. Messages between peers of one host are not counted: they cost less than counting them would.
 * @typedef {object} Stats
 * @property {number} sent
 * @property {number} received
 * @property {number} published
 * @property {number} heard
 * @property {Record<string, number>} outcomes
 * @property {number} dropped
 * @property {number} gaps
 * @property {number} reconnects
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number} undelivered
 * @property {Record<string, any>} links
 */

/** @returns {Stats} those of a host that has not done anything */
function none() {
  return {
    sent: 0,
    received: 0,
    published: 0,
    heard: 0,
    outcomes: Object.fromEntries(OUTCOMES.map((name) => [name, 0])),
    dropped: 0,
    gaps: 0,
    reconnects: 0,
    bytesIn: 0,
    bytesOut: 0,
    undelivered: 0,
    links: {}
  };
}

/**
 * Adds the counters of an earlier life to those of the present one.
 * @param {Stats} now
 * @param {Stats} before
 * @returns {Stats}
 */
function total(now, before) {
  const add = (/** @type {any} */ a, /** @type {any} */ b) => {
    for (const name of Object.keys(a)) {
      if (typeof a[name] === 'number' && name !== 'undelivered') a[name] += b[name];
    }
  };
  add(now, before);
  add(now.outcomes, before.outcomes);
  return now;
}

module.exports = { none, total };
