'use strict';

const { now } = require('../messages.js');

/**
 * Begins n things, at most so many of them at a time: each that is settled makes room for one more. Gives the times at which
 * the first began and the last was settled.
 * @param {number} n
 * @param {number} atATime
 * @param {(index: number) => PromiseLike<any>} begin
 */
async function flight(n, atATime, begin) {
  const start = now();
  await new Promise((/** @type {(value?: any) => void} */ resolve, reject) => {
    let begun = 0;
    let settled = 0;
    const next = () => begin(begun++).then(done, reject);
    const done = () => {
      if (++settled === n) resolve();
      else if (begun < n) next();
    };
    while (begun < Math.min(n, atATime)) next();
  });
  return { start, end: now() };
}

module.exports = flight;
