'use strict';
// Tests each of whose cases runs in a process of its own, because original hosts keep timers for a minute.

const test = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('node:child_process');

/**
 * To be called once by a test file, which runs a case when it is started for that alone.
 * @param {string} file that calls
 * @param {string[]} names of the cases
 * @param {(name: string) => string} title
 * @param {(name: string) => Promise<void>} run
 */
function eachInItsProcess(file, names, title, run) {
  if (process.argv[2] === 'case') {
    run(process.argv[3]).then(
      () => process.exit(0),
      (err) => {
        console.error(err);
        process.exit(1);
      }
    );
    return;
  }
  for (const name of names) {
    test(title(name), { timeout: 60_000 }, () => {
      const { status, stderr } = spawnSync(process.execPath, [file, 'case', name], {
        encoding: 'utf8',
        timeout: 50_000
      });
      assert.strictEqual(stderr, '');
      assert.strictEqual(status, 0);
    });
  }
}

module.exports = eachInItsProcess;
