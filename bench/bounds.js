'use strict';

const { figure } = require('./figures.js');

/**
 * What the figures of distribus must be, and should be, beside those of another contender in the same run.
 * @typedef {object} Bound
 * @property {string} title
 * @property {string} cell
 * @property {string} metric
 * @property {string} against the other contender
 * @property {string} [subject] the contender that is bound, when it is not ours
 * @property {'≥' | '≤'} relation
 * @property {number} [must]
 * @property {number} aim
 */

/** @type {Bound[]} */
const bounds = [
  { title: 'local send', cell: 'local', metric: 'rate', against: 'original', relation: '≥', must: 1, aim: 1.2 },
  {
    title: 'round trip, two cores',
    cell: 'round-trip',
    metric: 'time',
    against: 'ws',
    relation: '≤',
    must: 0.9,
    aim: 0.65
  },
  {
    title: 'round trip, one core',
    cell: 'round-trip-1-core',
    metric: 'time',
    against: 'ws',
    relation: '≤',
    must: 0.9,
    aim: 0.7
  },
  {
    title: 'round trip, one core',
    cell: 'round-trip-1-core',
    metric: 'time',
    against: 'net',
    relation: '≤',
    aim: 1.15
  },
  {
    title: 'round trip, two cores',
    cell: 'round-trip',
    metric: 'time',
    against: 'original',
    relation: '≤',
    must: 0.45,
    aim: 0.35
  },
  {
    title: 'round trip, one core busy',
    cell: 'round-trip-busy',
    metric: 'time',
    against: 'ws',
    relation: '≤',
    must: 0.9,
    aim: 0.75
  },
  {
    title: 'CPU a round trip, two cores',
    cell: 'round-trip',
    metric: 'cpu',
    against: 'ws',
    relation: '≤',
    must: 0.85,
    aim: 0.7
  },
  {
    title: 'acknowledged, 11 B',
    cell: 'acked-11-50k',
    metric: 'rate',
    against: 'original',
    relation: '≥',
    must: 20,
    aim: 30
  },
  {
    title: 'acknowledged, 11 B',
    cell: 'acked-11-50k',
    metric: 'rate',
    against: 'ws',
    relation: '≥',
    must: 10,
    aim: 15
  },
  {
    title: 'acknowledged, 11 B, fresh processes',
    cell: 'acked-11-50k-cold',
    metric: 'rate',
    against: 'original',
    relation: '≥',
    must: 18,
    aim: 25
  },
  {
    title: 'acknowledged, 11 B, 1,000 in flight',
    cell: 'acked-11-50k-1000-in-flight',
    metric: 'rate',
    against: 'original',
    relation: '≥',
    must: 20,
    aim: 30
  },
  {
    title: 'acknowledged, 11 B, 1,000 in flight',
    cell: 'acked-11-50k-1000-in-flight',
    metric: 'rate',
    against: 'ws',
    relation: '≥',
    must: 10,
    aim: 15
  },
  {
    title: 'acknowledged, 11 B, N = 400,000',
    cell: 'acked-11-400k',
    metric: 'rate',
    against: 'ws-batched',
    relation: '≥',
    aim: 1.2
  },
  {
    title: 'acknowledged, 207 B object',
    cell: 'acked-207-50k',
    metric: 'rate',
    against: 'original',
    relation: '≥',
    must: 10,
    aim: 14
  },
  {
    title: 'acknowledged, 1 KB',
    cell: 'acked-1k-50k',
    metric: 'rate',
    against: 'original',
    relation: '≥',
    must: 20,
    aim: 35
  },
  {
    title: 'acknowledged, 64 links',
    cell: 'acked-11-50k-64-links',
    metric: 'rate',
    against: 'original',
    relation: '≥',
    must: 8,
    aim: 15
  },
  {
    title: 'acknowledged, 64 links',
    cell: 'acked-11-50k-64-links',
    metric: 'rate',
    against: 'ws-batched',
    relation: '≥',
    must: 1,
    aim: 1.5
  },
  {
    title: 'acknowledged, 1,000 recipients',
    cell: 'acked-11-50k-1000-recipients',
    metric: 'rate',
    against: 'ws-batched',
    relation: '≥',
    must: 1,
    aim: 1.5
  },
  {
    title: 'CPU an acknowledged message, 11 B',
    cell: 'acked-11-50k',
    metric: 'cpu',
    against: 'original',
    relation: '≤',
    must: 1 / 15,
    aim: 1 / 30
  },
  {
    title: 'CPU a message, 1,000 a second',
    cell: 'paced',
    metric: 'cpu',
    against: 'ws',
    relation: '≤',
    must: 1,
    aim: 0.8
  },
  { title: 'requests', cell: 'requests', metric: 'rate', against: 'socket.io', relation: '≥', must: 4, aim: 6 },
  { title: 'requests', cell: 'requests', metric: 'rate', against: 'nats', relation: '≥', must: 8, aim: 12 },
  { title: 'publish, 11 B', cell: 'publish-11', metric: 'rate', against: 'nats', relation: '≥', must: 5, aim: 8 },
  { title: 'publish, 1 KB', cell: 'publish-1k', metric: 'rate', against: 'nats', relation: '≥', must: 3, aim: 5 },
  {
    title: 'CPU a delivery, 1,000 connections',
    cell: 'fan-out-1000',
    metric: 'delivery',
    against: 'ws',
    relation: '≤',
    must: 1.25,
    aim: 0.85
  },
  {
    title: 'CPU a delivery, 5,000 connections',
    cell: 'fan-out-5000',
    metric: 'delivery',
    against: 'ws',
    relation: '≤',
    must: 0.95,
    aim: 0.7
  },
  {
    title: 'memory of 1,000,000 peers',
    cell: 'memory',
    metric: 'rss',
    against: 'original',
    relation: '≤',
    must: 0.46,
    aim: 0.42
  },
  {
    title: 'v1, distribus to 0.4.0',
    cell: 'v1',
    metric: 'rate',
    subject: 'ours-to-original',
    against: 'original',
    relation: '≥',
    must: 1,
    aim: 1.3
  },
  {
    title: 'v1, 0.4.0 to distribus',
    cell: 'v1',
    metric: 'rate',
    subject: 'original-to-ours',
    against: 'original',
    relation: '≥',
    aim: 1
  }
];

/**
 * Holds the bounds against what was measured. Those of what was not measured are left out. The verdict is the better of the two
 * that is reached, `must` or `aim`; FAIL when neither is, or `below` when there is only an aim.
 * @param {Record<string, { samples: Record<string, any[]> }>} measured by cell
 */
function judge(measured) {
  return bounds.flatMap((bound) => {
    const { subject = 'ours', against, metric, relation, must, aim } = bound;
    const samples = measured[bound.cell]?.samples ?? {};
    const [ours, theirs] = [figure(samples[subject], metric), figure(samples[against], metric)];
    if (ours === undefined || theirs === undefined) return [];
    const ratio = ours / theirs;
    const holds = (/** @type {number} */ limit) => (relation === '≥' ? ratio >= limit : ratio <= limit);
    const verdict = holds(aim) ? 'aim' : must === undefined ? 'below' : holds(must) ? 'must' : 'FAIL';
    return [{ ...bound, subject, ratio, verdict }];
  });
}

module.exports = { bounds, judge };
