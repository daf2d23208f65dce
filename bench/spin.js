'use strict';

// Keeps a core busy: what else a machine has to do. It begins when it is told to, and ends with the process that started it.

const readline = require('node:readline');

/** How many turns it takes between two looks at whether that process is still there: some milliseconds. */
const TURNS = 1e7;

const parent = process.ppid;

function spin() {
  while (process.ppid === parent) for (let turn = 0; turn < TURNS; turn++);
  process.exit();
}

readline.createInterface({ input: process.stdin }).once('line', (line) => {
  process.stdout.write(JSON.stringify({ id: Number.parseInt(line, 10), result: null }) + '\n', spin);
});
