'use strict';

/** How long `require` takes, and `require` with a first node that listens, in a process that has loaded nothing else. */
module.exports = {
  /** Run in a fresh process by side.js, before anything else is loaded. */
  async fresh(/** @type {string} */ file, /** @type {boolean} */ listens) {
    const start = process.hrtime.bigint();
    const driver = require(file);
    const loaded = process.hrtime.bigint();
    if (listens) await driver.listen();
    const done = process.hrtime.bigint();
    return { seconds: Number(loaded - start) / 1e9, listening: listens ? Number(done - start) / 1e9 : undefined };
  }
};
