'use strict';

const { probe, runBetween } = require('../measure.js');
const { Side } = require('../process.js');

/** The orders in which the builds take turns in a block: none of them is always first. @type {('old' | 'new')[][]} */
const ORDERS = [
  ['old', 'new', 'new', 'old'],
  ['new', 'old', 'old', 'new']
];

/**
 * @typedef {object} Options
 * @property {number} blocks of four bursts each
 * @property {number} round its number: the order in which the builds are loaded changes with it
 */

/**
 * One round: one process that sends by both builds, and for each build one that receives.
 * @param {import('../cells.js').Cell} cell
 * @param {{ old: string, new: string }} folders of the builds
 * @param {Options} options
 * @returns {Promise<import('./statistics.js').Block[]>}
 */
async function round(cell, folders, { blocks, round }) {
  const options = { nodeArguments: ['--expose-gc'], verbose: false };
  const pinned = cell.pinned === true;
  const sender = Side.node('sender', pinned, options);
  /** @type {Side[]} */
  const sides = [sender];
  try {
    /** @type {any} */
    const builds = {};
    for (const build of ORDERS[round % 2].slice(0, 2)) {
      const folder = folders[build];
      const receiver = Side.node(`receiver (${build})`, pinned, options);
      sides.push(receiver);
      const addresses = await receiver.call('receiver', { package: folder, of: cell });
      await sender.call('sender', { package: folder, of: cell, addresses, build });
      const tell = (/** @type {string} */ command, /** @type {any} */ argument) =>
        sender.call(command, { ...argument, build });
      builds[build] = { receiver, sender: { call: tell } };
      await probe(cell, builds[build].sender, receiver);
    }
    for (let left = cell.warmup; left > 0; left -= cell.n) {
      for (const build of ORDERS[0]) await runBetween(cell, builds[build], cell.n);
    }
    /** @type {import('./statistics.js').Block[]} */
    const done = [];
    while (done.length < blocks) {
      /** @type {any} */
      const block = { old: [], new: [] };
      for (const build of ORDERS[done.length % 2]) block[build].push(await runBetween(cell, builds[build], cell.n));
      done.push(block);
    }
    return done;
  } finally {
    await Promise.all(sides.map((side) => side.stop()));
  }
}

module.exports = { round };
