'use strict';

// What a million peers on one host occupy, and how long it takes to create them: on a host that only listens, and on one that is connected
// with three others in another process, which keep the directory of them.

const { Workers } = require('../workers.js');
const { median, range } = require('../statistics.js');

const OTHERS = 3;

const cases = [
  { of: 'original', connected: false },
  { of: 'ours', connected: false },
  { of: 'original', connected: true },
  { of: 'ours', connected: true }
];

/**
 * @param {{ of: string, connected: boolean }} a case
 * @param {number} count
 */
async function create({ of, connected }, count) {
  const workers = new Workers(connected ? 2 : 1);
  try {
    const urls = await workers.all('listen', (/** @type {number} */ i) => ({ of, count: i === 0 ? 1 : OTHERS }));
    if (connected) await workers.sides[1].call('join', { url: urls[0][0] });
    await workers.all('connected', { others: connected ? OTHERS : 0 });
    const { seconds, cpu, bytes } = await workers.sides[0].call('create', { count });
    return { seconds, cpu, bytesPerPeer: bytes / count };
  } finally {
    await workers.stop();
  }
}

/**
 * @param {{ quick: boolean, rounds: number }} options
 */
async function run({ quick, rounds }) {
  const count = quick ? 100000 : 1000000;
  /** @type {{ seconds: number, cpu: number, bytesPerPeer: number }[][]} */
  const samples = cases.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, one] of cases.entries()) samples[i].push(await create(one, count));
  const figures = cases.map((one, i) => {
    const seconds = samples[i].map((sample) => sample.seconds);
    const of = (/** @type {'cpu' | 'bytesPerPeer'} */ name) => median(samples[i].map((sample) => sample[name]));
    return {
      ...one,
      count,
      seconds: median(seconds),
      range: range(seconds),
      cpu: of('cpu'),
      bytesPerPeer: of('bytesPerPeer'),
      samples: samples[i]
    };
  });
  const rows = figures.map((figure) => {
    const original = figures.find(({ of, connected }) => of === 'original' && connected === figure.connected) ?? figure;
    const name = figure.of === 'ours' ? 'distribus' : 'distribus 0.4.0';
    return [
      `${name}, ${figure.connected ? 'connected' : 'listening'}`,
      figure.seconds.toFixed(2),
      figure.range,
      (figure.seconds / original.seconds).toFixed(2),
      figure.cpu.toFixed(2),
      figure.bytesPerPeer.toFixed(0),
      (figure.bytesPerPeer / original.bytesPerPeer).toFixed(2)
    ];
  });
  return {
    head: [`${count.toLocaleString('en')} peers`, 's', 'range', 'ratio', 'CPU s', 'bytes a peer', 'ratio'],
    rows,
    figures
  };
}

module.exports = { title: 'Peers of one host: time to create them, and memory', run };
