'use strict';

// One cell with one contender, in the foreground: node bench/cell.js acked-11-50k ours [--quick] [--pinned] [--n N]
// [--repeats R] [--node=--cpu-prof …]. Prints the sample as JSON. What follows --node= is given to the measured processes.

const { parseArgs } = require('node:util');
const rivals = require('./rivals.js');
const { cells, quick } = require('./cells.js');
const { contenders } = require('./drivers/index.js');
const { endOnSignals } = require('./process.js');
const { measure } = require('./measure.js');

const {
  values,
  positionals: [id, name = 'ours']
} = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean' },
    pinned: { type: 'boolean' },
    n: { type: 'string' },
    repeats: { type: 'string' },
    node: { type: 'string', multiple: true }
  }
});

async function main() {
  const found = cells.find((cell) => cell.id === id);
  if (found === undefined || !(name in contenders)) {
    console.error(
      `usage: node bench/cell.js CELL CONTENDER\ncells: ${cells.map((cell) => cell.id).join(' ')}\n` +
        `contenders: ${Object.keys(contenders).join(' ')}`
    );
    process.exit(2);
  }
  if (!['ours', 'original'].includes(name)) rivals.install();
  const state = /** @type {any} */ (rivals.available([name]).get(name));
  if (state.missing !== undefined) throw new Error(state.missing);
  const cell = {
    ...(values.quick ? quick(found) : found),
    ...(values.pinned ? { pinned: true } : {}),
    ...(values.n ? { n: Number(values.n) } : {})
  };
  const sample = await measure(cell, name, {
    verbose: true,
    nodeArguments: values.node,
    repeats: values.repeats === undefined ? undefined : Number(values.repeats)
  });
  console.log(JSON.stringify({ cell: cell.id, contender: name, n: cell.n, ...sample }));
}

endOnSignals();
main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
