'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { promisify } = require('node:util');
const { cells } = require('../bench/cells.js');
const { estimate } = require('../bench/compare/statistics.js');
const { contenders } = require('../bench/drivers/index.js');
const { bounds, judge } = require('../bench/bounds.js');
const { figure, median } = require('../bench/figures.js');
const { hasProgram } = require('../bench/rivals.js');
const { measure } = require('../bench/measure.js');

/**
 * @param {string} id
 * @param {any} [more]
 */
function small(id, more) {
  const cell = cells.find((cell) => cell.id === id);
  assert.ok(cell, id);
  return { ...cell, n: 200, warmup: 20, ...more };
}

const options = { repeats: 1 };

for (const id of [
  'round-trip',
  'acked-207-50k',
  'acked-11-50k-cold',
  'acked-11-50k-1000-recipients',
  'acked-11-50k-1000-in-flight',
  'requests',
  'paced',
  'publish-11-8-hosts',
  'local',
  'create',
  'startup'
]) {
  test(`the benchmark measures ${id}`, async () => {
    const sample = await measure(small(id, id.includes('recipients') ? { recipients: 10 } : {}), 'ours', options);
    assert.ok(/** @type {number} */ (sample.seconds) > 0);
  });
}

test('the benchmark measures what a delivery costs the publisher, with light subscribers', async () => {
  const sample = await measure(small('fan-out-1000', { hosts: 110 }), 'ours', options);
  assert.ok(/** @type {number} */ (sample.delivery) > 0);
});

test(
  'the benchmark measures beside a process that keeps a core busy',
  { skip: process.platform !== 'linux' || !hasProgram('taskset') },
  async () => {
    const sample = await measure(small('round-trip-busy'), 'ours', options);
    assert.ok(/** @type {number} */ (sample.seconds) > 0);
  }
);

test('the benchmark measures several links, the original, and both ends of a mixed network', async () => {
  for (const name of ['original', 'ours-to-original', 'original-to-ours']) {
    const sample = await measure(small('acked-11-50k-64-links', { hosts: 3, recipients: 6 }), name, options);
    assert.ok(/** @type {number} */ (sample.seconds) > 0);
    assert.ok(/** @type {number} */ (sample.cpu) > 0);
  }
});

for (const [fault, says] of Object.entries({
  lost: /a message came wrong|messages were lost/,
  changed: /a message came wrong: message \d+ of recipient 0 is "something else"/,
  twice: /a message came wrong|messages were delivered twice/,
  crash: /ended by itself \(3\)|Connection lost/ // whichever is seen first
})) {
  test(`the benchmark fails with a message that is spoiled: ${fault}`, async () => {
    contenders.faulty = { title: 'faulty', sender: 'ours', receiver: path.join(__dirname, 'bench', 'faulty') };
    process.env.FAULT = fault;
    try {
      await assert.rejects(measure(small('acked-11-50k'), 'faulty', { ...options, patience: 1000 }), says);
    } finally {
      delete contenders.faulty;
      delete process.env.FAULT;
    }
  });
}

test('every bound is about a cell and contenders that are measured', () => {
  for (const { cell: id, subject = 'ours', against, metric } of bounds) {
    const cell = small(id);
    assert.ok(cell.metrics.includes(metric), `${id} measures ${metric}`);
    for (const name of [subject, against]) assert.ok(cell.contenders.includes(name), `${name} takes part in ${id}`);
  }
});

test('a verdict is about the ratio of medians, and says what is reached', () => {
  const verdict = (/** @type {number[]} */ ours, /** @type {number[]} */ theirs) =>
    judge({
      local: { samples: { ours: ours.map((rate) => ({ rate })), original: theirs.map((rate) => ({ rate })) } }
    })[0];
  assert.equal(verdict([1, 13, 99], [10, 10, 10]).ratio, 1.3);
  assert.equal(verdict([13], [10]).verdict, 'aim');
  assert.equal(verdict([11], [10]).verdict, 'must');
  assert.equal(verdict([9], [10]).verdict, 'FAIL');
  assert.deepEqual(judge({}), []);
});

test('figures are medians, and there is none where one sample lacks it', () => {
  assert.equal(median([4, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(figure([{ cpu: 2e-6 }, { cpu: null }], 'cpu'), undefined);
  assert.equal(figure([{ cpu: 2e-6 }, { cpu: 4e-6 }], 'cpu'), 3);
});

test('two builds are compared in all cells', async () => {
  const clone = path.join(__dirname, '..');
  const args = ['--rounds', '1', '--blocks', '2', '--n', '20', clone, clone];
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(clone, 'bench', 'compare.js'), ...args]);
  for (const cell of ['acked', 'publish', 'round-trip', 'requests'])
    assert.match(stdout, new RegExp(`^${cell}: `, 'm'));
  const ratios = [...stdout.matchAll(/ (\d+\.\d+) {2}\((\d+\.\d+) – (\d+\.\d+)\)$/gm)];
  assert.equal(ratios.length, 4 * 7);
  for (const [, ratio, low, high] of ratios) {
    assert.ok(Number(low) <= Number(ratio) && Number(ratio) <= Number(high));
  }
});

test('the ratio of two builds is that of bursts close together, whatever disturbs whole blocks', () => {
  const burst = (/** @type {number} */ seconds) => ({ seconds, cpu: seconds, senderCpu: 0, receiverCpu: 0 });
  const block = (/** @type {number} */ load) => ({
    old: [burst(10 * load), burst(10 * load)],
    new: [burst(11 * load), burst(11 * load)]
  });
  const rounds = [[1, 2, 3].map(block), [5, 1, 4].map(block)];
  for (const value of Object.values(estimate(rounds, { of: 'seconds', by: 'paired' })))
    assert.ok(Math.abs(value - 1.1) < 1e-9);
});
