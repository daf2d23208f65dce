'use strict';

// How many frames a publish costs in a full mesh of which only some hosts have a subscriber.

const { Workers } = require('../workers.js');
const { median } = require('../statistics.js');

const INTERESTED = 2;
const CHANNEL = 'news';

/** What is said about membership and subscriptions is over when nothing has been said for that long. */
const QUIET = 3000;

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {{ of: string, n: number }} a case
 */
async function publish({ of, n }) {
  const workers = new Workers(2); // the publisher's frames are counted alone
  const [others, publisher] = workers.sides;
  try {
    const urls = (
      await workers.all('listen', (/** @type {number} */ i) => ({ of, count: i === 0 ? n - 1 : 1 }))
    ).flat();
    for (const side of workers.sides) await side.call('join', { url: urls[0] });
    await workers.all('connected', { others: n - 1 });
    await others.call('subscribe', { form: CHANNEL, count: 1, hosts: INTERESTED });
    let before = -1;
    for (let frames = 0; before !== frames; frames = await publisher.call('frames')) {
      before = frames;
      await pause(QUIET);
    }
    const start = performance.now();
    await publisher.call('publish', { form: CHANNEL, count: 1 });
    await others.call('heard', { times: INTERESTED });
    const milliseconds = performance.now() - start;
    await pause(QUIET);
    return { frames: (await publisher.call('frames')) - before, milliseconds };
  } finally {
    await workers.stop();
  }
}

/**
 * @param {{ quick: boolean, rounds: number }} options
 */
async function run({ quick, rounds }) {
  const cases = ['original', 'ours'].map((of) => ({ of, n: quick ? 10 : 50 }));
  const figures = [];
  for (const one of cases) {
    const samples = [];
    for (let round = 0; round < rounds; round++) samples.push(await publish(one));
    figures.push({
      ...one,
      interested: INTERESTED,
      frames: median(samples.map(({ frames }) => frames)),
      milliseconds: median(samples.map((s) => s.milliseconds)),
      samples
    });
  }
  const rows = figures.map(({ of, n, frames, milliseconds }) => {
    const name = of === 'ours' ? 'distribus' : 'distribus 0.4.0';
    return [`${name}, ${n} hosts, ${INTERESTED} interested`, String(frames), milliseconds.toFixed(1)];
  });
  return { head: ['one publish', 'frames', 'ms until both have it'], rows, figures };
}

module.exports = { title: 'A publish in a mesh with few subscribers', run };
