'use strict';

// One measured process. It does what measure.js tells it to, and ends when that one is gone.

/** @type {any} what the workload made of this process */
let work;
/** What it made of each build of distribus that sends here, where two are compared. @type {any[]} */
const senders = [];

const commands = {
  async startup(/** @type {any} */ { file, listens }) {
    return require('./workloads/startup.js').fresh(file, listens);
  },

  async alone(/** @type {any} */ { file, of }) {
    work = await workloadOf(of).alone(require(file), of);
  },

  async receiver(/** @type {any} */ { of: cell, broker, ...from }) {
    const driver = driverOf(from);
    const nodes = [];
    for (let i = 0; i < cell.hosts; i++) nodes.push(await driver.listen(broker));
    work = await workloadOf(cell).receiver(nodes, cell);
    return nodes.map(({ address }) => address);
  },

  async sender(/** @type {any} */ { of: cell, addresses, broker, build = 0, ...from }) {
    const driver = driverOf(from);
    const node = await driver.connect(addresses, require('./workloads/recipients.js').directory(cell), broker);
    work = senders[build] = await workloadOf(cell).sender(node, cell, driver);
  },

  async hub(/** @type {any} */ { of: cell, file }) {
    const driver = driverOf({ file });
    const node = await /** @type {any} */ (driver).hub();
    work = senders[0] = await workloadOf(cell).sender(node, cell, driver);
    return node.address;
  },

  async audience(/** @type {any} */ { of: cell, address }) {
    work = await workloadOf(cell).receiver(address, cell);
  },

  /** Sends until everybody has heard something. */
  async probe(/** @type {any} */ { build = 0 }) {
    senders[build].probe();
  },

  async probed() {
    return work.probed.every(Boolean);
  },

  async expect(/** @type {any} */ { n }) {
    work.reset(n);
    tidy();
    return process.cpuUsage();
  },

  async arrived() {
    await work.complete;
    return { lastAt: work.lastAt, cpu: process.cpuUsage() };
  },

  async state() {
    return { expected: work.expected, received: work.received, wrong: work.wrong };
  },

  async run(/** @type {any} */ { n, build }) {
    tidy();
    const before = process.cpuUsage();
    const result = await (build === undefined ? work : senders[build]).run(n);
    return { cpuAtStart: before, cpu: process.cpuUsage(), ...result };
  },

  async cpu() {
    return process.cpuUsage();
  }
};

/**
 * @param {{ file?: string, package?: string }} from a driver's file, or the folder of a build of distribus
 * @returns {import('./drivers/index.js').Driver}
 */
function driverOf({ file, package: folder }) {
  return folder === undefined
    ? require(/** @type {string} */ (file))
    : require('./drivers/distribus.js')(require(folder), async () => 0);
}

/** Collects young garbage, in a process that lets us: then that of one burst is not paid for by the next. */
function tidy() {
  /** @type {any} */ (globalThis).gc?.({ type: 'minor' });
}

/** @param {any} of */
function workloadOf(of) {
  return require('./workloads/index.js')[of.workload];
}

process.on('message', async (/** @type {any} */ { id, command, argument }) => {
  try {
    const result = await /** @type {any} */ (commands)[command](argument);
    process.send?.({ id, result });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? error.stack : String(error) });
  }
});
process.on('disconnect', () => process.exit());
