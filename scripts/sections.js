'use strict';

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { spawn } = require('node:child_process');
const { once } = require('node:events');

const root = path.join(__dirname, '..');

/**
 * A named step of a script: a command and its arguments. The commands `node` and `bin:NAME` stand for this Node and for
 * a program of a dependency. `env` is added to the environment.
 * @typedef {{ name: string, title: string, command: string, args: string[], env?: Record<string, string> }} Section
 */

/** How a failure begins in what `node --test` and `cargo test` print, and so many lines of it are worth repeating. */
const FAILURE = /^\s*(not ok \d|✖ |thread '.*' panicked|test .* FAILED|error(\[|:))/;
const LINES_OF_FAILURE = 16;
const LINES_OF_SECTION = 120;

/**
 * Runs the sections one after the other, all of them even when one fails, prints what came of each and once more what
 * failed, because a log is read from its end, and sets the exit code. With names on the command line only those
 * sections run.
 * @param {Section[]} sections
 */
async function run(sections) {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !sections.some((section) => section.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no part named ${unknown.join(', ')}. There is: ${sections.map(({ name }) => name).join(', ')}`
    );
    process.exit(2);
  }
  const chosen = sections.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const results = [];
  for (const section of chosen) results.push(await runOne(section));

  for (const { section, passed, failures } of results) {
    const lines = failures.flat();
    if (!passed && lines.length > 0) console.log(`\n=== What failed: ${section.title} ===\n${lines.join('\n')}`);
  }
  console.log('\n=== Summary ===');
  for (const { section, seconds, passed } of results) {
    console.log(
      `${passed ? 'passed' : 'FAILED'}  ${section.name.padEnd(9)} ${seconds.toFixed(1).padStart(6)} s  ${section.title}`
    );
  }
  const failed = results.filter(({ passed }) => !passed).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** @param {Section} section */
async function runOne(section) {
  console.log(`\n=== ${section.title} ===`);
  const start = performance.now();
  const { command, args } = resolve(section);
  const env = { ...process.env, ...section.env };
  const child = spawn(command, args, { cwd: root, stdio: ['inherit', 'pipe', 'pipe'], env });
  const failures = [watch(child.stdout, process.stdout), watch(child.stderr, process.stderr)];
  const passed = await once(child, 'close').then(
    ([code]) => code === 0,
    (error) => console.error(`${section.command} could not be started: ${error.message}`)
  );
  return { section, seconds: (performance.now() - start) / 1000, passed: passed === true, failures };
}

/**
 * Prints what comes, and keeps what it says of failures.
 * @param {import('node:stream').Readable} from
 * @param {NodeJS.WritableStream} to
 */
function watch(from, to) {
  /** @type {string[]} */
  const failures = [];
  let wanted = 0;
  from.on('data', (chunk) => to.write(chunk));
  readline.createInterface({ input: from }).on('line', (line) => {
    if (FAILURE.test(line)) wanted = LINES_OF_FAILURE;
    if (wanted > 0 && failures.length < LINES_OF_SECTION) failures.push(line);
    wanted -= 1;
  });
  return failures;
}

/** @param {Section} section */
function resolve({ command, args }) {
  if (command === 'node') return { command: process.execPath, args };
  if (command.startsWith('bin:')) return { command: process.execPath, args: [program(command.slice(4)), ...args] };
  return { command, args };
}

/**
 * The script behind a program of a dependency. Started with Node, because `node_modules/.bin` is different on Windows.
 * @param {string} name for example `eslint`, or `typescript/tsc` when package and program have different names
 */
function program(name) {
  const [dependency, bin] = name.includes('/') ? name.split('/') : [name, name];
  const folder = path.join(root, 'node_modules', dependency);
  const manifest = require(path.join(folder, 'package.json'));
  return path.join(folder, typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin]);
}

/**
 * All test files in a directory, named one by one: `node --test DIRECTORY` means different things in Node 20 and 22.
 * @param {string} directory
 * @returns {string[]}
 */
function testFiles(directory) {
  return fs
    .readdirSync(path.join(root, directory), { withFileTypes: true })
    .flatMap((entry) => {
      const name = path.join(directory, entry.name);
      if (entry.isDirectory()) return testFiles(name);
      return /\.test\.m?js$/.test(entry.name) ? [name] : [];
    })
    .sort();
}

module.exports = { run, program, root, testFiles };
