'use strict';

// What a publish costs when many patterns are subscribed to: in JavaScript when they are of the publishing host itself, and in Rust when
// they are of another host, which then finds them once more in JavaScript.

const { Workers } = require('../workers.js');
const { median } = require('../statistics.js');

/** Kinds of patterns, and of names that one of them matches each. */
const kinds = [
  ['room.{}.*', 'room.{}.message'],
  ['room.{}.**', 'room.{}.message.new'],
  ['user-{}*.events', 'user-{}.events'],
  ['*-{}.events.**', 'user-{}.events.login'],
  ['**.device.{}.*', 'home.floor.2.device.{}.state'],
  ['*.{}.a*z', 'room.{}.abcxyz']
];

const PUBLISHES = 50000;

/**
 * CPU µs a publish, for the process that publishes.
 * @param {string[]} kind
 * @param {number} count of patterns
 * @param {boolean} remote whether they are another host's
 */
async function publish([pattern, name], count, remote) {
  const workers = new Workers(remote ? 2 : 1);
  const publisher = workers.sides[workers.sides.length - 1];
  const [subscriber] = workers.sides;
  try {
    const urls = await workers.all('listen', { of: 'ours', count: 1 });
    if (remote) await publisher.call('join', { url: urls[0][0] });
    await subscriber.call('subscribe', { form: pattern, count, hosts: 1 });
    let micros = 0;
    for (const times of [PUBLISHES / 10, PUBLISHES]) {
      // the first ones are for the compiler
      const before = await publisher.call('usage');
      await publisher.call('publish', { form: name, count: times, of: count });
      await subscriber.call('heard', { times: matches(pattern, times, count) });
      const after = await publisher.call('usage');
      micros = ((after.cpu - before.cpu) * 1e6) / times;
    }
    return micros;
  } finally {
    await workers.stop();
  }
}

/**
 * How often a listener is called: `user-1*` also matches user-10, user-11 and so on.
 * @param {string} pattern
 * @param {number} times
 * @param {number} count
 */
function matches(pattern, times, count) {
  if (!pattern.includes('{}*')) return times;
  let calls = 0;
  for (let n = 0; n < times; n++) {
    const digits = String((n * 7919) % count);
    for (let length = 1; length <= digits.length; length++) if (length === 1 || digits[0] !== '0') calls++;
  }
  return calls;
}

/**
 * @param {{ quick: boolean, rounds: number }} options
 */
async function run({ quick, rounds }) {
  const count = quick ? 10000 : 100000;
  const figures = [];
  for (const kind of kinds) {
    for (const remote of [false, true]) {
      /** @type {number[]} */
      const one = [];
      /** @type {number[]} */
      const many = [];
      for (let round = 0; round < rounds; round++) {
        one.push(await publish(kind, 1, remote));
        many.push(await publish(kind, count, remote));
      }
      figures.push({ kind: kind[0], remote, count, one: median(one), many: median(many), samples: { one, many } });
    }
  }
  const rows = figures.map(({ kind, remote, one, many }) => [
    `${kind}, ${remote ? "another host's" : 'its own'}`,
    one.toFixed(2),
    many.toFixed(2),
    (many - one).toFixed(2)
  ]);
  return { head: ['CPU µs a publish', '1 pattern', `${count.toLocaleString('en')} patterns`, 'more'], rows, figures };
}

module.exports = { title: 'A publish to many patterns', run };
