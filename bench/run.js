'use strict';

// npm run bench [-- options]: see README.md.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const readme = require('./report/readme.js');
const rivals = require('./rivals.js');
const table = require('./report/table.js');
const { cells, quick } = require('./cells.js');
const { chart } = require('./report/chart.js');
const { contenders } = require('./drivers/index.js');
const { figure } = require('./figures.js');
const { judge } = require('./bounds.js');
const { endOnSignals } = require('./process.js');
const { measure } = require('./measure.js');

const folder = path.join(__dirname, 'results');

const HELP = `npm run bench [-- options]

  --list                 lists the cells and who takes part in each
  --only cell,…          only these cells, and those whose names begin so (acked: acked-11-50k, …)
  --contenders name,…    only these, and distribus itself
  --rounds N             how often each is measured (5; 3 with --quick)
  --quick                a tenth of the messages: to try it, not to quote it
  --merge                replaces the measured cells in results/latest.json and keeps the others
  --write-readme         writes the figures into README.md as well
  --render               measures nothing: makes chart and README.md from results/latest.json
`;

const { values: options } = parseArgs({
  options: {
    help: { type: 'boolean' },
    list: { type: 'boolean' },
    only: { type: 'string' },
    contenders: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean' },
    merge: { type: 'boolean' },
    'write-readme': { type: 'boolean' },
    render: { type: 'boolean' }
  }
});

/** Thrown for a mistake on the command line. */
class UsageError extends Error {}

/** The cells that were asked for. */
function chosenCells() {
  if (options.only === undefined) return cells;
  const wanted = options.only.split(',');
  const matches = (/** @type {string} */ id, /** @type {string} */ name) => id === name || id.startsWith(name + '-');
  const unknown = wanted.filter((name) => !cells.some(({ id }) => matches(id, name)));
  if (unknown.length > 0) throw new UsageError(`There is no cell ${unknown.join(', ')}. See --list.`);
  return cells.filter(({ id }) => wanted.some((name) => matches(id, name)));
}

/** @param {string} name */
function isChosen(name) {
  if (options.contenders === undefined) return true;
  const wanted = options.contenders.split(',');
  const unknown = wanted.filter((wish) => !(wish in contenders));
  if (unknown.length > 0) throw new UsageError(`There is no contender ${unknown.join(', ')}. See --list.`);
  return wanted.includes(name) || name === 'ours' || contenders[name].sender !== undefined;
}

function machine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memory: Math.round(os.totalmem() / 2 ** 30) + ' GB',
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version
  };
}

/**
 * Shows how far it is, on one line of a terminal. Elsewhere only whole cells are told.
 * @param {string} text
 */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
}

/**
 * Measures a cell: round by round, and in each round one contender after the other.
 * @param {import('./cells.js').Cell} cell
 * @param {string[]} names
 * @param {number} rounds
 * @param {string} position
 */
async function runCell(cell, names, rounds, position) {
  /** @type {Record<string, any[]>} */
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  /** @type {Record<string, string>} */
  const failures = {};
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      if (name in failures) continue;
      progress(`${position} ${cell.id}, round ${round} of ${rounds}: ${name}`);
      try {
        samples[name].push(rounded(await measure(cell, name)));
      } catch (error) {
        failures[name] = error instanceof Error ? error.message : String(error);
        delete samples[name];
        progress('');
        console.error(`FAILED  ${failures[name]}`);
      }
    }
  }
  progress('');
  const { title, n, metrics } = cell;
  const figures = Object.fromEntries(
    Object.entries(samples).map(([name, of]) => [
      name,
      Object.fromEntries(metrics.map((metric) => [metric, figure(of, metric)]))
    ])
  );
  return { title, n, rounds, taken: new Date().toISOString(), metrics, figures, failures, samples };
}

/**
 * @param {any} sample
 * @returns {any}
 */
function rounded(sample) {
  return Object.fromEntries(
    Object.entries(sample).map(([key, value]) => [
      key,
      typeof value === 'number' ? Number(value.toPrecision(6)) : value
    ])
  );
}

/** @param {string} name of a file of results/ */
function read(name) {
  return JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
}

/**
 * @param {string} name
 * @param {any} results
 */
function write(name, results) {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, name), stringify(results) + '\n');
}

/**
 * JSON with a sample a line.
 * @param {any} results
 */
function stringify(results) {
  return JSON.stringify(results, null, 2).replace(/\{[^{}[\]]*\}/g, (object) => object.replace(/\n\s*/g, ' '));
}

/**
 * The chart and the README, from the results that are kept.
 * @param {any} results
 */
function render(results) {
  fs.writeFileSync(path.join(folder, 'chart.svg'), chart(results));
  if (options['write-readme'] || options.render) readme.write(path.join(__dirname, 'README.md'), results);
}

async function main() {
  if (options.help) return console.log(HELP);
  if (options.list) {
    for (const { id, title, contenders } of cells)
      console.log(`${id.padEnd(28)} ${title}\n${' '.repeat(29)}${contenders.join(' ')}`);
    return;
  }
  if (options.render) return render(read('latest.json'));

  const plan = chosenCells().map((cell) => ({
    cell: options.quick ? quick(cell) : cell,
    names: cell.contenders.filter(isChosen)
  }));
  const rounds = options.rounds === undefined ? (options.quick ? 3 : 5) : Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError('--rounds must be a number');
  rivals.install();
  const states = rivals.available(new Set(plan.flatMap(({ names }) => names)));
  const pinning = process.platform === 'linux' && rivals.hasProgram('taskset');

  // Only what has been measured as a whole, and in full size, becomes the result that is kept.
  const whole = !options.quick && options.contenders === undefined && options.only === undefined;
  const kept = whole || (options.merge === true && !options.quick);
  const name = kept ? 'latest.json' : 'partial.json';
  const results = options.merge && kept && fs.existsSync(path.join(folder, name)) ? read(name) : { cells: {} };
  Object.assign(results, { taken: new Date().toISOString(), machine: machine(), quick: options.quick === true });
  results.contenders = { ...results.contenders, ...Object.fromEntries(states) };
  for (const [name, state] of states) if ('missing' in state) console.log(`skipped: ${name}: ${state.missing}`);

  for (const [index, { cell, names }] of plan.entries()) {
    if ((cell.pinned || cell.busy) && !pinning) {
      console.log(`skipped: ${cell.id}: pinning needs taskset`);
      continue;
    }
    const present = names.filter((name) => 'version' in /** @type {any} */ (states.get(name)));
    const result = await runCell(cell, present, rounds, `[${index + 1}/${plan.length}]`);
    results.cells[cell.id] = result;
    results.bounds = judge(results.cells);
    write(name, results);
    console.log(table.ofCell(result, contenders));
  }
  console.log(
    table.ofBounds(
      judge(
        Object.fromEntries(plan.flatMap(({ cell: { id } }) => (results.cells[id] ? [[id, results.cells[id]]] : [])))
      )
    )
  );
  if (kept) render(results);
  console.log(`Written to bench/results/${name}${kept ? ' and chart.svg' : ''}.`);
  if (plan.some(({ cell: { id } }) => Object.keys(results.cells[id]?.failures ?? {}).length > 0)) {
    console.error('Some measurements failed: see FAILED above.');
    process.exitCode = 1;
  }
}

endOnSignals();
main().catch((error) => {
  console.error(error instanceof UsageError ? error.message : error);
  process.exit(error instanceof UsageError ? 2 : 1);
});
