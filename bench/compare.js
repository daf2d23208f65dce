'use strict';

// npm run bench:compare -- [options] OLD NEW: see README.md.

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { estimate, measures, quantileOf } = require('./compare/statistics.js');
const { round } = require('./compare/measure.js');
const { threeDigits } = require('./figures.js');
const { endOnSignals } = require('./process.js');

const HELP = `npm run bench:compare -- [options] OLD NEW

Compares two clones of distribus, each with its dependencies and its native part.

  --cells name,…   only these of CELLS
  --rounds N       how often fresh processes are started for each cell (12)
  --blocks N       how often the builds take turns in each round: old new new old (10)
  --n N            messages a burst
  --pinned         all processes on one core
`;

const cell = { message: { kind: /** @type {const} */ ('string'), size: 11 }, recipients: 1, hosts: 1 };
const object = { kind: /** @type {const} */ ('object'), size: 170 };

/** What is compared. `n` is the number of messages in a burst, which is to take some tens of milliseconds. @type {Record<string, any>} */
const cells = {
  acked: { ...cell, workload: 'acked', n: 25000, warmup: 400000 },
  publish: { ...cell, workload: 'publish', n: 100000, warmup: 1600000 },
  'round-trip': { ...cell, workload: 'round-trip', n: 500, warmup: 10000 },
  requests: { ...cell, workload: 'requests', message: object, inFlight: 100, n: 2500, warmup: 40000 }
};

/**
 * @param {string} folder
 * @returns {string} its absolute path
 */
function buildIn(folder) {
  const absolute = path.resolve(folder);
  if (!fs.existsSync(path.join(absolute, 'index.js'))) throw new Error(`${folder} is not a clone of distribus.`);
  return absolute;
}

/**
 * @param {string | undefined} text
 * @param {number | undefined} otherwise
 * @returns {any}
 */
function count(text, otherwise) {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${text} is not a number of something.`);
  return value;
}

/**
 * @param {string} title
 * @param {import('./compare/statistics.js').Block[][]} rounds
 * @param {number} n
 */
function report(title, rounds, n) {
  const micros = (/** @type {'old' | 'new'} */ build, /** @type {'seconds' | 'cpu'} */ of) => {
    const values = rounds.flat().flatMap((block) => block[build].map((burst) => burst[of]));
    return threeDigits((quantileOf(values, 0.5) / n) * 1e6);
  };
  console.log(
    `\n${title}: µs each ${micros('old', 'seconds')}, then ${micros('new', 'seconds')}; ` +
      `CPU µs each ${micros('old', 'cpu')}, then ${micros('new', 'cpu')}`
  );
  for (const [name, measure] of Object.entries(measures)) {
    const { ratio, low, high } = estimate(rounds, measure);
    console.log(`  ${name.padEnd(24)}${ratio.toFixed(3)}  (${low.toFixed(3)} – ${high.toFixed(3)})`);
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean' },
      cells: { type: 'string' },
      rounds: { type: 'string' },
      blocks: { type: 'string' },
      n: { type: 'string' },
      pinned: { type: 'boolean' }
    }
  });
  if (values.help || positionals.length !== 2) {
    console.log(HELP.replace('CELLS', Object.keys(cells).join(', ')));
    process.exit(values.help ? 0 : 2);
  }
  const folders = { old: buildIn(positionals[0]), new: buildIn(positionals[1]) };
  const names = values.cells?.split(',') ?? Object.keys(cells);
  const unknown = names.filter((name) => !(name in cells));
  if (unknown.length > 0) throw new Error(`There is no cell ${unknown.join(', ')}.`);
  const blocks = count(values.blocks, 10);
  const times = count(values.rounds, 12);

  for (const name of names) {
    const n = count(values.n, cells[name].n);
    const warmup = Math.min(cells[name].warmup, (cells[name].warmup / cells[name].n) * n);
    const measured = { id: name, ...cells[name], n, warmup, pinned: values.pinned === true };
    const rounds = [];
    while (rounds.length < times) rounds.push(await round(measured, folders, { blocks, round: rounds.length }));
    report(name, rounds, n);
  }
}

endOnSignals();
main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
