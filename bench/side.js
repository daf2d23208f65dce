'use strict';

// One measured process. It does what measure.js tells it to, and ends when that one is gone.

/** @type {any} */
let driver;
/** @type {any} */
let cell;
/** @type {any} what the workload made of this process */
let work;

const commands = {
  async startup(/** @type {any} */ { file, listens }) {
    return require('./workloads/startup.js').fresh(file, listens);
  },

  async alone(/** @type {any} */ { file, of }) {
    work = await workloadOf(of).alone(require(file), of);
  },

  async receiver(/** @type {any} */ { file, of, broker }) {
    cell = of;
    driver = require(file);
    const nodes = [];
    for (let i = 0; i < cell.hosts; i++) nodes.push(await driver.listen(broker));
    work = await workloadOf(cell).receiver(nodes, cell);
    return nodes.map(({ address }) => address);
  },

  async sender(/** @type {any} */ { file, of, addresses, broker }) {
    cell = of;
    driver = require(file);
    const node = await driver.connect(addresses, require('./workloads/recipients.js').directory(cell), broker);
    work = await workloadOf(cell).sender(node, cell, driver);
  },

  /** Sends until everybody has heard something. */
  async probe() {
    if (work.probe) work.probe();
    return Boolean(work.probe);
  },

  async probed() {
    return work.probed.every(Boolean);
  },

  async expect(/** @type {any} */ { n }) {
    work.reset(n);
    return process.cpuUsage();
  },

  async arrived() {
    await work.complete;
    return { lastAt: work.lastAt, cpu: process.cpuUsage() };
  },

  async state() {
    return { expected: work.expected, received: work.received, wrong: work.wrong };
  },

  async run(/** @type {any} */ { n }) {
    const before = process.cpuUsage();
    const result = await work.run(n);
    return { cpuAtStart: before, cpu: process.cpuUsage(), ...result };
  },

  async cpu() {
    return process.cpuUsage();
  }
};

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
