'use strict';

// npm run demo: starts two processes with one host each, lets them talk, and shows what they say.
// The two programs are in examples/demo/.

const path = require('node:path');
const readline = require('node:readline');
const { fork } = require('node:child_process');

const started = performance.now();

/**
 * Starts one of the two programs and prints its lines with its name in front.
 * @param {string} name
 * @param {string[]} args
 */
function start(name, ...args) {
  const child = fork(path.join(__dirname, 'demo', `${name}.js`), args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  for (const stream of [child.stdout, child.stderr]) {
    readline.createInterface({ input: stream }).on('line', (line) => say(`${name} ${child.pid}`, line));
  }
  return child;
}

function say(who, text) {
  console.log(`[${who}]`.padEnd(16) + text);
}

/** Resolves when a process has ended by itself; throws when it failed. */
function ended(child, name) {
  return new Promise((resolve, reject) => {
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${name} ended with exit code ${code}`))));
  });
}

async function main() {
  say('demo', 'starting two processes, with one distribus host each');
  const london = start('london');
  const londonEnded = ended(london, 'london');

  // london tells its url when it listens; paris needs to know where to join.
  const url = await Promise.race([
    new Promise((resolve) => london.once('message', resolve)),
    londonEnded.then(() => Promise.reject(new Error('london ended too early')))
  ]);
  const paris = start('paris', url);

  await Promise.all([londonEnded, ended(paris, 'paris')]);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say('demo', `both processes have said goodbye and ended by themselves, after ${seconds} s`);
}

main().catch((err) => {
  say('demo', `failed: ${err.message}`);
  process.exit(1);
});
