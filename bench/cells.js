'use strict';

// What is measured. A cell is a workload with its numbers; every contender of a cell is measured in each round.

const { grouped } = require('./figures.js');

/** What is sent in one run of a cell is at most so much, because all of it can lie in memory at both ends at once. */
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * @typedef {object} Cell
 * @property {string} id
 * @property {string} title without the number of messages
 * @property {string} workload a file of workloads/
 * @property {string[]} metrics of figures.js, the first of which is what the cell is about
 * @property {string[]} contenders of drivers/index.js
 * @property {number} n
 * @property {number} warmup what is sent before the clock runs
 * @property {import('./messages.js').MessageSpec} message
 * @property {number} recipients
 * @property {number} hosts in the receiving process, or connections that stand for some; 0 when there is one process only
 * @property {number} [inFlight] how many sends or requests are not settled at a time
 * @property {number} [repeats] at most, in the same processes
 * @property {boolean} [pinned] whether both processes, and a broker, run on one core
 * @property {boolean} [busy] whether a further process keeps that core busy all the time
 */

const PEERS = ['ours', 'original'];
const BY_HAND = ['ours', 'original', 'ws', 'ws-batched'];
const EVERYBODY = [...BY_HAND, 'socket.io', 'nats', 'zeromq', 'redis'];
const MIXED = ['ours-to-original', 'original-to-ours', 'original'];

/** @type {Record<string, import('./messages.js').MessageSpec & { title: string, key: string }>} */
const messages = {
  short: { kind: 'string', size: 11, title: '11 B string', key: '11' },
  object: { kind: 'object', size: 207, title: '207 B object', key: '207' },
  long: { kind: 'string', size: 1024, title: '1 KB string', key: '1k' },
  huge: { kind: 'string', size: 64 * 1024, title: '64 KB string', key: '64k' }
};

/** @param {number} n */
const thousands = (n) => (n % 1000 === 0 ? n / 1000 + 'k' : String(n));

/**
 * @param {Partial<Cell> & { id: string, title: string, workload: string, n: number, contenders: string[], metrics: string[] }} cell
 * @returns {Cell}
 */
function cell(cell) {
  const { kind, size } = cell.message ?? messages.short;
  return { warmup: Math.min(cell.n, 50000), recipients: 1, hosts: 1, ...cell, message: { kind, size } };
}

/**
 * @param {keyof typeof messages & string} of
 * @param {number} wanted
 * @param {string[]} contenders
 * @param {Partial<Cell>} [more]
 */
function acked(of, wanted, contenders, more = {}) {
  const message = messages[of];
  const n = Math.min(wanted, Math.floor(MAX_BYTES / message.size / 1000) * 1000);
  const { hosts = 1, recipients = 1 } = more;
  const spread = (recipients > 1 ? `, ${grouped(recipients)} recipients` : '') + (hosts > 1 ? `, ${hosts} links` : '');
  return cell({
    id:
      `acked-${message.key}-${thousands(n)}` +
      (hosts > 1 ? `-${hosts}-links` : recipients > 1 ? `-${recipients}-recipients` : ''),
    title: `acknowledged sends, ${message.title}${spread}`,
    workload: 'acked',
    metrics: ['rate', 'cpu'],
    message,
    n,
    warmup: Math.min(50000, n),
    contenders,
    ...more
  });
}

/**
 * @param {keyof typeof messages & string} of
 * @param {number} n
 * @param {number} hosts
 */
function publish(of, n, hosts) {
  const message = messages[of];
  return cell({
    id: `publish-${message.key}` + (hosts > 1 ? `-${hosts}-hosts` : ''),
    title: `publish, ${message.title}, 1 to ${hosts}${hosts > 1 ? ' hosts' : ''}`,
    workload: 'publish',
    metrics: ['rate', 'cpu'],
    message,
    n,
    hosts,
    contenders: EVERYBODY
  });
}

/**
 * @param {number} connections
 * @param {number} n
 */
function fanOut(connections, n) {
  return cell({
    id: `fan-out-${connections}`,
    title: `publish, 11 B string, 1 to ${grouped(connections)} connections, one a turn`,
    workload: 'fan-out',
    metrics: ['delivery'],
    n,
    warmup: n / 5,
    hosts: connections,
    contenders: ['ours', 'ws']
  });
}

/** @type {Cell[]} */
const cells = [
  cell({
    id: 'round-trip',
    title: 'round trip, two cores',
    workload: 'round-trip',
    metrics: ['time', 'cpu'],
    n: 20000,
    warmup: 10000,
    contenders: [...EVERYBODY, 'ours-native', 'tungstenite']
  }),
  cell({
    id: 'round-trip-1-core',
    title: 'round trip, both processes on one core',
    workload: 'round-trip',
    metrics: ['time', 'cpu'],
    n: 20000,
    warmup: 10000,
    pinned: true,
    contenders: [...EVERYBODY, 'net', 'ours-native', 'tungstenite']
  }),
  cell({
    id: 'round-trip-busy',
    title: 'round trip, two cores, one of them kept busy by another process',
    workload: 'round-trip',
    metrics: ['time', 'cpu'],
    n: 20000,
    warmup: 10000,
    busy: true,
    contenders: [...EVERYBODY, 'ours-native', 'tungstenite']
  }),
  cell({
    id: 'round-trip-cold',
    title: 'the first round trips of fresh processes, two cores',
    workload: 'round-trip',
    metrics: ['time', 'cpu'],
    n: 1000,
    warmup: 0,
    repeats: 1,
    contenders: EVERYBODY
  }),
  acked('short', 50000, [...EVERYBODY, 'ours-native', 'tungstenite']),
  acked('short', 50000, BY_HAND, {
    id: 'acked-11-50k-cold',
    title: 'the first acknowledged sends of fresh processes, 11 B string',
    warmup: 0,
    repeats: 1
  }),
  acked('short', 50000, [...EVERYBODY, 'ours-native'], {
    id: 'acked-11-50k-1000-in-flight',
    title: 'acknowledged sends, 11 B string, 1,000 in flight',
    workload: 'in-flight',
    inFlight: 1000
  }),
  acked('short', 400000, [...BY_HAND, 'ours-native', 'tungstenite']),
  acked('object', 50000, BY_HAND),
  acked('object', 400000, BY_HAND),
  acked('long', 50000, [...BY_HAND, 'tungstenite']),
  acked('long', 400000, BY_HAND),
  acked('huge', 50000, BY_HAND),
  acked('short', 50000, BY_HAND, { recipients: 1000 }),
  acked('short', 50000, BY_HAND, { recipients: 64, hosts: 64 }),
  cell({
    id: 'requests',
    title: 'requests, 170 B object, 100 in flight',
    workload: 'requests',
    metrics: ['rate', 'cpu'],
    message: { kind: 'object', size: 170 },
    n: 50000,
    inFlight: 100,
    contenders: ['ours', 'ws', 'socket.io', 'nats', 'ours-native']
  }),
  cell({
    id: 'paced',
    title: 'acknowledged sends, 11 B string, 1,000 a second',
    workload: 'paced',
    metrics: ['cpu'],
    n: 3000,
    warmup: 3000,
    contenders: BY_HAND
  }),
  publish('short', 400000, 1),
  publish('long', 100000, 1),
  publish('short', 100000, 8),
  publish('long', 25000, 8),
  fanOut(1000, 500),
  fanOut(5000, 100),
  cell({
    id: 'v1',
    title: 'acknowledged sends, 11 B string, with a 0.4.0 host at one end',
    workload: 'acked',
    metrics: ['rate', 'cpu'],
    n: 50000,
    contenders: MIXED
  }),
  cell({
    id: 'local',
    title: 'send to a peer of the same host',
    workload: 'local',
    metrics: ['time', 'rate'],
    n: 5000000,
    warmup: 1000000,
    hosts: 0,
    contenders: PEERS
  }),
  cell({
    id: 'create',
    title: 'create a peer with a listener, on a host that listens',
    workload: 'create',
    metrics: ['rate'],
    n: 200000,
    hosts: 0,
    contenders: PEERS
  }),
  cell({
    id: 'memory',
    title: 'memory of peers with a listener, on a host that listens',
    workload: 'memory',
    metrics: ['rss', 'heap'],
    n: 1000000,
    warmup: 0,
    hosts: 0,
    contenders: PEERS
  }),
  cell({
    id: 'startup',
    title: 'start in a fresh process',
    workload: 'startup',
    metrics: ['require', 'listening'],
    n: 1,
    hosts: 0,
    contenders: EVERYBODY
  })
];

/**
 * A smaller cell, for trying.
 * @param {Cell} cell
 * @returns {Cell}
 */
function quick(cell) {
  if (cell.workload === 'memory') return cell;
  const less = (/** @type {number} */ n) => (n > 1 ? Math.ceil(n / 10) : n);
  // A round trip has no other work to hide behind: cold code would be all that is seen.
  return { ...cell, n: less(cell.n), warmup: cell.workload === 'round-trip' ? cell.warmup : less(cell.warmup) };
}

/**
 * The title of a cell with its number, if that says something.
 * @param {{ title: string, n: number }} cell
 */
function titleOf({ title, n }) {
  return n === 1 ? title : `${title}, N = ${grouped(n)}`;
}

module.exports = { cells, quick, titleOf };
