'use strict';

// How long it takes until N hosts that know one of them are all connected with each other, and how many frames that costs.

const { Workers, openFiles } = require('../workers.js');
const { median, range } = require('../statistics.js');

const together = 'all at once';
const inTurn = 'one after the other';

/** Of whom, how many hosts, and how they join the one. The original ends where it takes a minute. */
const cases = [
  ...[10, 25, 50].map((n) => ({ of: 'original', n, how: inTurn })),
  ...[10, 25, 50, 100, 200].map((n) => ({ of: 'ours', n, how: inTurn })),
  ...[10, 25, 50, 100, 200].map((n) => ({ of: 'ours', n, how: together }))
];

/** Frames are still said after everybody has met: notes are compared when nothing has changed for a second. It is quiet after that long. */
const QUIET = 3000;

const sum = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0);
const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {{ of: string, n: number, how: string }} a case
 */
async function form({ of, n, how }) {
  // In as few processes as can hold that many sockets.
  const processes = Math.ceil((n * n) / (openFiles() * 0.8));
  const workers = new Workers(processes);
  try {
    const share = (/** @type {number} */ i) => Math.floor((n * (i + 1)) / processes) - Math.floor((n * i) / processes);
    const urls = (await workers.all('listen', (/** @type {number} */ i) => ({ of, count: share(i) }))).flat();
    const before = await workers.all('usage');
    const start = performance.now();
    const seed = { url: urls[0], together: how === together };
    if (how === together) await workers.all('join', seed);
    else for (const side of workers.sides) await side.call('join', seed);
    const joined = performance.now() - start;
    await workers.all('connected', { others: n - 1 });
    const seconds = (performance.now() - start) / 1000;
    const after = await workers.all('usage');
    let frames = sum(await workers.all('frames'));
    for (let earlier = -1; earlier !== frames;) {
      earlier = frames;
      await pause(QUIET);
      frames = sum(await workers.all('frames'));
    }
    await workers.all('connected', { others: n - 1 });
    const cpu = sum(after.map((usage) => usage.cpu)) - sum(before.map((usage) => usage.cpu));
    const memory = sum(after.map((usage) => usage.memory)) / 2 ** 20;
    return { processes, seconds, joined: joined / 1000, cpu, memory, framesPerPair: frames / ((n * (n - 1)) / 2) };
  } finally {
    await workers.stop();
  }
}

/**
 * @param {{ quick: boolean, rounds: number }} options
 */
async function run({ quick, rounds }) {
  const rows = [];
  const figures = [];
  for (const one of cases.filter(({ n }) => !quick || n <= 25)) {
    const samples = [];
    for (let round = 0; round < rounds; round++) samples.push(await form(one));
    const of = (/** @type {'seconds' | 'joined' | 'cpu' | 'memory' | 'framesPerPair'} */ name) =>
      Number(median(samples.map((sample) => sample[name])).toPrecision(4));
    const [{ processes }] = samples;
    const seconds = samples.map((sample) => sample.seconds);
    figures.push({
      ...one,
      processes,
      seconds: of('seconds'),
      joined: of('joined'),
      cpu: of('cpu'),
      memory: of('memory'),
      framesPerPair: of('framesPerPair'),
      samples
    });
    const name = one.of === 'ours' ? 'distribus' : 'distribus 0.4.0';
    rows.push([
      `${name}, ${one.n} hosts, ${one.how}`,
      String(processes),
      of('seconds').toFixed(2),
      range(seconds),
      of('cpu').toFixed(2),
      of('memory').toFixed(0),
      of('framesPerPair').toFixed(2)
    ]);
  }
  return { head: ['', 'processes', 's', 'range', 'CPU s', 'MB', 'frames a pair'], rows, figures };
}

module.exports = { title: 'A full mesh from one seed', run };
