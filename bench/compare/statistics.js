'use strict';

/**
 * What one burst took, in seconds.
 * @typedef {{ seconds: number, cpu: number, senderCpu: number, receiverCpu: number }} Burst
 */

/**
 * Bursts of the two builds that were made close together: what disturbs one of them as a rule disturbs all.
 * @typedef {{ old: Burst[], new: Burst[] }} Block
 */

/** @typedef {{ ratio: number, low: number, high: number }} Estimate */

/**
 * What is compared: a time, and what stands for it. `paired` is the median of the blocks' own ratios, which what disturbs whole blocks does
 * not touch; a number is the quantile of each build's bursts: the lower ones are those that nothing has disturbed.
 * @typedef {{ of: keyof Burst, by: 'paired' | number }} Measure
 */

/** @type {Record<string, Measure>} */
const measures = {
  'time, paired': { of: 'seconds', by: 'paired' },
  'time, median': { of: 'seconds', by: 0.5 },
  'time, lower quartile': { of: 'seconds', by: 0.25 },
  'CPU, paired': { of: 'cpu', by: 'paired' },
  'CPU, lower quartile': { of: 'cpu', by: 0.25 },
  "sender's CPU, paired": { of: 'senderCpu', by: 'paired' },
  "receiver's CPU, paired": { of: 'receiverCpu', by: 'paired' }
};

/** How often the rounds and blocks are drawn anew. */
const DRAWS = 2000;

/** The part of the draws that lies within the interval. */
const CONFIDENCE = 0.95;

/**
 * @param {number[]} values at least one
 * @param {number} quantile
 */
function quantileOf(values, quantile) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * quantile;
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

/**
 * New / old in one round.
 * @param {Block[]} blocks
 * @param {Measure} measure
 */
function ratioIn(blocks, { of, by }) {
  if (by === 'paired') {
    const sum = (/** @type {Burst[]} */ bursts) => bursts.reduce((total, burst) => total + burst[of], 0);
    return quantileOf(
      blocks.map((block) => sum(block.new) / sum(block.old)),
      0.5
    );
  }
  const valueOf = (/** @type {'old' | 'new'} */ build) =>
    quantileOf(
      blocks.flatMap((block) => block[build].map((burst) => burst[of])),
      by
    );
  return valueOf('new') / valueOf('old');
}

/**
 * New / old: in each round for itself, as its processes may differ from those of another one, and then the geometric mean.
 * @param {Block[][]} rounds
 * @param {Measure} measure
 */
function ratioOf(rounds, measure) {
  return Math.exp(rounds.reduce((sum, blocks) => sum + Math.log(ratioIn(blocks, measure)), 0) / rounds.length);
}

/**
 * @template T
 * @param {T[]} values
 * @param {() => number} random
 * @returns {T[]} as many, each drawn from all
 */
function drawn(values, random) {
  return values.map(() => values[Math.floor(random() * values.length)]);
}

/**
 * The ratio, and an interval for it by drawing rounds, and blocks within them, again and again.
 * @param {Block[][]} rounds
 * @param {Measure} measure
 * @param {() => number} [random]
 * @returns {Estimate}
 */
function estimate(rounds, measure, random = Math.random) {
  const ratios = Array.from({ length: DRAWS }, () =>
    ratioOf(
      drawn(rounds, random).map((blocks) => drawn(blocks, random)),
      measure
    )
  );
  const tail = (1 - CONFIDENCE) / 2;
  return {
    ratio: ratioOf(rounds, measure),
    low: quantileOf(ratios, tail),
    high: quantileOf(ratios, 1 - tail)
  };
}

module.exports = { estimate, measures, quantileOf };
