'use strict';

// A driver for the tests of the benchmark: distribus, with one message spoiled at the receiving end.

const ours = require('../../bench/drivers/ours.js');

/** @type {Record<string, (callback: (from: any, message: any) => void, from: any, message: any) => void>} */
const faults = {
  lost() {},
  changed: (callback, from) => callback(from, 'something else'),
  twice: (callback, from, message) => {
    callback(from, message);
    callback(from, message);
  },
  crash: () => process.exit(3)
};

const fault = faults[/** @type {string} */ (process.env.FAULT)];

module.exports = {
  ...ours,
  async listen() {
    const node = await ours.listen();
    let received = 0;
    return {
      ...node,
      receive: (/** @type {string} */ id, /** @type {any} */ callback) =>
        node.receive(id, (from, message) => {
          if (++received === 15) fault(callback, from, message);
          else callback(from, message);
        })
    };
  }
};
