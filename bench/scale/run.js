'use strict';

// npm run bench:scale [-- options]: how distribus behaves with many hosts, peers and channels. A measurement is a file of measurements/
// that exports { title, run }; run(options) resolves with { head, rows, notes, figures }: a table as texts, and the figures for results/scale.json.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { aligned } = require('../report/table.js');
const { endOnSignals } = require('../process.js');

const folder = path.join(__dirname, 'measurements');
const file = path.join(__dirname, '..', 'results', 'scale.json');
const names = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith('.js'))
  .map((name) => name.slice(0, -3))
  .sort();

const HELP = `npm run bench:scale [-- options] [measurement …]

  --list      lists the measurements
  --rounds N  how often each is measured (3; 1 with --quick)
  --quick     small sizes only: to try it, not to quote it
  --write     writes the figures into bench/results/scale.json, beside those of the measurements that were not made
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    list: { type: 'boolean' },
    quick: { type: 'boolean' },
    write: { type: 'boolean' },
    rounds: { type: 'string' }
  }
});

function machine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version
  };
}

async function main() {
  if (options.help) return console.log(HELP);
  if (options.list)
    return names.forEach((name) => console.log(`${name.padEnd(12)} ${require(path.join(folder, name)).title}`));
  const unknown = positionals.filter((name) => !names.includes(name));
  const rounds = options.rounds === undefined ? (options.quick ? 1 : 3) : Number(options.rounds);
  if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
    console.error(
      unknown.length > 0 ? `There is no measurement ${unknown.join(', ')}. See --list.` : '--rounds must be a number'
    );
    process.exitCode = 2;
    return;
  }
  /** @type {Record<string, any>} */
  const results = options.write && fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  for (const name of positionals.length > 0 ? positionals : names) {
    const { title, run } = require(path.join(folder, name));
    console.log(`\n${title}`);
    const { head, rows, notes = [], figures } = await run({ quick: options.quick === true, rounds });
    console.log(aligned([head, ...rows]));
    for (const note of notes) console.log(`  ${note}`);
    results[name] = { title, taken: new Date().toISOString(), machine: machine(), rounds, figures };
  }
  if (!options.write) return;
  if (options.quick) return console.error('Not written: --quick is not to be quoted.');
  fs.writeFileSync(file, JSON.stringify(results, null, 2) + '\n');
  console.log('\nWritten to bench/results/scale.json.');
}

endOnSignals();
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
