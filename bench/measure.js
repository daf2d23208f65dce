'use strict';

const brokers = require('./brokers.js');
const limit = require('./limit/index.js');
const workloads = require('./workloads/index.js');
const { Side } = require('./process.js');
const { contenders, fileOf } = require('./drivers/index.js');
const { median } = require('./figures.js');

/** When so long nothing has come in (ms), nothing will. */
const PATIENCE = 10000;

/** A measurement is repeated in the same processes until this much time has been measured, so that short ones weigh as much. */
const ENOUGH_SECONDS = 0.5;
const MAX_REPEATS = 5;

/**
 * What one measurement gives: times in seconds, memory in bytes. Which of them depends on the workload.
 * @typedef {{ seconds?: number, rate?: number, cpu?: number | null, delivery?: number, rss?: number, heap?: number, listening?: number }} Sample
 */

/**
 * `nodeArguments` go to the measured processes; with `verbose` their stderr is seen.
 * @typedef {{ nodeArguments: string[], repeats: number, verbose: boolean, patience: number }} Options
 */

/**
 * Measures a cell with one contender, in fresh processes.
 * @param {import('./cells.js').Cell} cell
 * @param {string} name of the contender
 * @param {Partial<Options>} [options]
 * @returns {Promise<Sample>}
 */
async function measure(
  cell,
  name,
  { nodeArguments = [], repeats = cell.repeats ?? MAX_REPEATS, verbose = false, patience = PATIENCE } = {}
) {
  const options = { nodeArguments, repeats, verbose, patience };
  /** @type {{ stop(): Promise<void> }[]} */
  const running = [];
  try {
    return await new Promise((resolve, reject) => {
      const started = (/** @type {any} */ side) => {
        running.push(side);
        side.onFailure = reject; // the other side may wait for it in vain
        return side;
      };
      const work =
        cell.workload === 'startup'
          ? startup(name, started, options)
          : cell.hosts === 0
            ? alone(cell, name, started, options)
            : between(cell, name, started, options);
      work.then(resolve, reject);
    });
  } catch (error) {
    throw new Error(`${cell.id} with ${name} failed: ${error instanceof Error ? error.message : error}`, {
      cause: error
    });
  } finally {
    await Promise.all(running.map((side) => side.stop()));
  }
}

/**
 * @param {string} name
 * @param {(side: Side) => Side} started
 * @param {Options} options
 */
async function startup(name, started, options) {
  const side = started(Side.node(name, false, options));
  return side.call('startup', { file: fileOf(name, 'sender'), listens: contenders[name].broker === undefined });
}

/**
 * @param {import('./cells.js').Cell} cell
 * @param {string} name
 * @param {(side: Side) => Side} started
 * @param {Options} options
 * @returns {Promise<Sample>}
 */
async function alone(cell, name, started, options) {
  const workload = /** @type {any} */ (workloads)[cell.workload];
  const side = started(
    Side.node(name, false, { ...options, nodeArguments: [...(workload.nodeArguments ?? []), ...options.nodeArguments] })
  );
  await side.call('alone', { file: fileOf(name, 'sender'), of: cell });
  if (cell.warmup > 0) await side.call('run', { n: cell.warmup });
  const first = await side.call('run', { n: cell.n });
  if (first.rss !== undefined) return { rss: first.rss, heap: first.heap };
  const runs = [first];
  while (
    !isEnough(
      runs.map(({ seconds }) => seconds),
      options.repeats
    )
  )
    runs.push(await side.call('run', { n: cell.n }));
  return sampleOf(
    cell.n,
    runs.map(({ seconds, cpu }) => ({ seconds, cpu: (cpu.user + cpu.system) / 1e6 }))
  );
}

/**
 * @param {import('./cells.js').Cell} cell
 * @param {string} name
 * @param {(side: any) => any} started
 * @param {Options} options
 * @returns {Promise<Sample>}
 */
async function between(cell, name, started, options) {
  const contender = contenders[name];
  const pinned = cell.pinned === true;
  const broker = contender.broker === undefined ? null : started(await brokers.start(contender.broker, pinned));
  const url = broker === null ? undefined : broker.url;
  if (cell.busy) started(await Side.busy());
  const sideOf = (/** @type {string} */ end) =>
    started(
      contender.limit
        ? Side.program(`${name} (${end})`, pinned, limit.program, [])
        : Side.node(`${name} (${end})`, pinned, options)
    );

  const receiver = sideOf('receiver');
  const sender = sideOf('sender');
  const { hub, probed } = /** @type {any} */ (workloads)[cell.workload];
  await (hub ? gather : connect)(cell, name, { sender, receiver }, url);

  await probe(cell, sender, receiver);
  const run = (/** @type {number} */ n) => runBetween(cell, { sender, receiver, broker }, n, options.patience);

  // One to each recipient first, so that all are known: 0.4.0 would ask all hosts about each of the messages.
  if (!probed) await run(cell.recipients);
  if (cell.warmup > 0) await run(cell.warmup);
  const runs = [];
  do runs.push(await run(cell.n));
  while (
    !isEnough(
      runs.map(({ seconds }) => seconds),
      options.repeats
    )
  );
  const sample = sampleOf(cell.n, runs);
  if (hub) sample.delivery = median(runs.map(({ senderCpu }) => senderCpu)) / cell.n / cell.hosts;
  return sample;
}

/**
 * Has the sender connect with those that receive.
 * @param {import('./cells.js').Cell} cell
 * @param {string} name of the contender
 * @param {{ sender: Side, receiver: Side }} sides
 * @param {string} [broker]
 */
async function connect(cell, name, { sender, receiver }, broker) {
  const { limit } = contenders[name];
  const { size } = cell.message;
  const addresses = await receiver.call(
    'receiver',
    limit ? { size } : { file: fileOf(name, 'receiver'), of: cell, broker }
  );
  await sender.call(
    'sender',
    limit
      ? { address: addresses[0], size, workload: cell.workload }
      : { file: fileOf(name, 'sender'), of: cell, addresses, broker }
  );
}

/**
 * Has those that receive connect with the sender.
 * @param {import('./cells.js').Cell} cell
 * @param {string} name of the contender
 * @param {{ sender: Side, receiver: Side }} sides
 */
async function gather(cell, name, { sender, receiver }) {
  const address = await sender.call('hub', { file: fileOf(name, 'sender'), of: cell });
  await receiver.call('audience', { of: cell, address });
}

/**
 * Sends until every subscriber has heard something.
 * @param {import('./cells.js').Cell} cell
 * @param {Pick<Side, 'call'>} sender
 * @param {Side} receiver
 */
async function probe(cell, sender, receiver) {
  const { probed } = /** @type {any} */ (workloads)[cell.workload];
  while (probed && !(await receiver.call('probed'))) await sender.call('probe');
}

/**
 * Sends n messages, once. Times in seconds; CPU time is null where the broker's is not known.
 * @param {import('./cells.js').Cell} cell
 * @param {{ sender: Pick<Side, 'call'>, receiver: Side, broker?: any }} sides
 * @param {number} n
 * @param {number} [patience]
 */
async function runBetween(cell, { sender, receiver, broker = null }, n, patience = PATIENCE) {
  const arrivals = /** @type {any} */ (workloads)[cell.workload].arrivals(n, cell);
  const receiverBefore = await receiver.call('expect', { n: arrivals });
  const brokerBefore = broker === null ? 0 : broker.cpuMicros();
  const sent = await sender.call('run', { n });
  const { lastAt, cpu } = await arrived(receiver, arrivals, patience);
  const brokerAfter = broker === null ? 0 : broker.cpuMicros();
  // A sender of publishes may still be writing when its loop has ended.
  const senderAfter = sent.end === undefined ? await sender.call('cpu') : sent.cpu;
  const senderCpu = (microsOf(senderAfter) - microsOf(sent.cpuAtStart)) / 1e6;
  const receiverCpu = (microsOf(cpu) - microsOf(receiverBefore)) / 1e6;
  return {
    seconds: (sent.end ?? lastAt) - sent.start,
    cpu:
      brokerBefore === null || brokerAfter === null
        ? null
        : senderCpu + receiverCpu + (brokerAfter - brokerBefore) / 1e6,
    senderCpu,
    receiverCpu
  };
}

/**
 * Waits until the receiver has everything, and fails when nothing comes any more, or when something wrong came.
 * @param {Side} receiver
 * @param {number} expected
 * @param {number} patience
 */
async function arrived(receiver, expected, patience) {
  let arrived = null;
  const arrival = receiver.call('arrived').then((result) => {
    arrived = result;
  });
  arrival.catch(() => {}); // the side fails as a whole
  for (let received = 0, since = Date.now(); arrived === null;) {
    await Promise.race([arrival, new Promise((resolve) => setTimeout(resolve, patience / 20))]);
    if (arrived !== null) break;
    const state = await receiver.call('state');
    if (state.received !== received) since = Date.now();
    ({ received } = state);
    if (Date.now() - since > patience) throw new Error(`messages were lost: ${received} of ${expected} arrived`);
  }
  const state = await receiver.call('state');
  if (state.wrong !== null) throw new Error(`a message came wrong: ${state.wrong}`);
  if (state.received !== expected)
    throw new Error(`messages were delivered twice: ${state.received} arrived, ${expected} were sent`);
  return /** @type {any} */ (arrived);
}

/** @param {{ user: number, system: number } | null} cpu null where the system does not tell it */
function microsOf(cpu) {
  return cpu === null ? NaN : cpu.user + cpu.system;
}

/**
 * @param {number[]} seconds
 * @param {number} repeats
 */
function isEnough(seconds, repeats) {
  return seconds.length >= repeats || seconds.reduce((sum, value) => sum + value, 0) >= ENOUGH_SECONDS;
}

/**
 * @param {number} n
 * @param {{ seconds: number, cpu: number | null }[]} runs
 * @returns {Sample}
 */
function sampleOf(n, runs) {
  const seconds = median(runs.map((run) => run.seconds)) / n;
  const cpu = runs.some((run) => run.cpu === null)
    ? null
    : median(runs.map((run) => /** @type {number} */ (run.cpu))) / n;
  return { seconds, rate: 1 / seconds, cpu };
}

module.exports = { measure, probe, runBetween };
