'use strict';
// node __test__/fuzz/run.js [--seconds 60] [--seed 1] [FILE …]: members that say what the grammar makes, against a host in a process of its own.
// With files, plays these instead. A round that something ends, freezes or swells is written to a file and played again by that.

const fs = require('node:fs');
const path = require('node:path');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const { parseArgs } = require('node:util');
const { steps } = require('./grammar.js');
const { Play } = require('./play.js');

/** What a round may take, in milliseconds and MiB; how many descriptors may be open. */
const LIMITS = { roundTrip: 1000, memory: 150, descriptors: 200 };
const STEPS = 120;
/** A process is attacked for so many rounds. */
const ROUNDS = 100;

const BOUNDS = path.join(__dirname, '../bounds');

/** @param {import('node:child_process').ChildProcess} child @param {string} [what] */
async function told(child, what) {
  if (what && child.connected) child.send(what, () => {});
  const aborter = new AbortController();
  const { signal } = aborter;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message),
      once(child, 'exit', { signal }).then(([code, by]) =>
        Promise.reject(new Error(`the process has ended: ${code ?? by}`))
      ),
      new Promise((_resolve, reject) => setTimeout(reject, 20_000, new Error('the process does not answer')).unref())
    ]);
  } finally {
    aborter.abort();
  }
}

class Target {
  said = 0;
  joined = 0;

  async start() {
    const env = { ...process.env };
    delete env.NODE_TEST_CONTEXT;
    this.host = fork(path.join(BOUNDS, 'victim.js'), ['{}', '200'], {
      env,
      execArgv: ['--expose-gc', '--max-old-space-size=512']
    });
    this.url = (await told(this.host)).url;
    this.neighbour = fork(path.join(BOUNDS, 'neighbour.js'), [this.url], { env });
    await told(this.neighbour);
    this.before = (await told(this.host, 'memory')).rss;
    return this;
  }

  stop() {
    this.host?.kill('SIGKILL');
    this.neighbour?.kill('SIGKILL');
  }

  /** What is wrong after a round. */
  async fault() {
    const { host, neighbour } = this;
    if (!host || !neighbour) return;
    const { max, failed } = await told(neighbour, 'report');
    if (max > LIMITS.roundTrip) return `a round trip of somebody else took ${max.toFixed(0)} ms`;
    if (failed) return `${failed} sends of somebody else failed`;
    const { rss } = await told(host, 'memory');
    const more = (rss - (this.before ?? 0)) / (1 << 20);
    if (more > LIMITS.memory) return `${more.toFixed(0)} MiB more`;
    const folder = `/proc/${host.pid}/fd`;
    const open = fs.existsSync(folder) ? fs.readdirSync(folder).length : 0;
    if (open > LIMITS.descriptors) return `${open} descriptors are open`;
  }
}

/** @param {Target} target @param {import('./grammar.js').Step[]} round */
async function play(target, round) {
  target.neighbour?.send('begin');
  const all = new Play(String(target.url));
  try {
    for (const step of round) await all.step(step);
    return await target.fault();
  } catch (error) {
    return String(/** @type {any} */ (error)?.message ?? error);
  } finally {
    all.end();
    target.said += all.said;
    target.joined += all.joined;
  }
}

/** @param {string[]} files @returns {Promise<string[]>} what is wrong */
async function replay(files) {
  const faults = [];
  for (const file of files) {
    const target = await new Target().start();
    const fault = await play(target, JSON.parse(fs.readFileSync(file, 'utf8')));
    target.stop();
    if (fault) faults.push(`${path.basename(file)}: ${fault}`);
  }
  return faults;
}

/** @param {number} seed @param {number} seconds */
async function search(seed, seconds) {
  const end = performance.now() + seconds * 1000;
  const faults = [];
  let rounds = 0;
  let target = await new Target().start();
  for (; performance.now() < end; rounds++) {
    const round = steps(seed + rounds, STEPS);
    const fault = await play(target, round);
    if (fault) {
      const file = `fuzz-${seed + rounds}.json`;
      fs.writeFileSync(file, JSON.stringify(round));
      faults.push(`seed ${seed + rounds}: ${fault}; see ${file}`);
      console.log(faults.at(-1));
    }
    if (fault || rounds % ROUNDS === ROUNDS - 1) {
      target.stop();
      target = await new Target().start();
    }
  }
  target.stop();
  console.log(`${rounds} rounds of ${STEPS} steps, from seed ${seed} on: ${faults.length} faults`);
  return faults;
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
    allowPositionals: true
  });
  const faults = positionals.length
    ? await replay(positionals)
    : await search(Number(values.seed), Number(values.seconds));
  if (positionals.length)
    console.log(faults.length ? faults.join('\n') : `${positionals.length} files: nothing is wrong`);
  process.exit(faults.length ? 1 : 0);
}

if (require.main === module) main();

module.exports = { replay };
