'use strict';

/**
 * What a process with many peers occupies more than one without. Each has an id; the listener is the same for all, because what a
 * program's own functions occupy is not what is measured.
 */
module.exports = {
  nodeArguments: ['--expose-gc'],

  async alone(/** @type {any} */ driver) {
    const host = await driver.listeningHost();
    return {
      async run(/** @type {number} */ n) {
        const before = await occupied();
        let received = 0;
        const listener = () => {
          received++;
        };
        for (let i = 0; i < n; i++) host.create('peer-' + i).on('message', listener);
        const after = await occupied();
        host.send('peer-0', 'peer-' + (n - 1), 'hello');
        if (received !== 1) throw new Error('The last peer did not get its message');
        return {
          rss: after.rss - before.rss,
          heap: after.heapUsed + after.external - before.heapUsed - before.external
        };
      }
    };
  }
};

async function occupied() {
  /** @type {any} */ (globalThis).gc(); // once: each further one leaves behind what it worked with itself
  await new Promise((resolve) => setTimeout(resolve, 100));
  return process.memoryUsage();
}
