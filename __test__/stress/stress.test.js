'use strict';
// The stress runs with small numbers; `npm run test:stress` runs them in full.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

/** What a run compares in speed is disturbed by other tests, which use the machine as well: what is too slow is so every time. */
const SLOW = "actual: [ 'the others were slowed down' ]";
const ATTEMPTS = 3;

for (const [script, ...numbers] of [
  ['workers.js', 24],
  ['exits.js', 24],
  ['half_open.js', 1500, 5],
  ['overload.js', 5, 2, 0.4],
  ['soak.js', 10]
]) {
  test([script, ...numbers].join(' '), { timeout: 180_000 }, (t) => {
    for (let attempt = 1; ; attempt++) {
      const file = path.join(__dirname, String(script));
      const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...numbers.map(String)], {
        encoding: 'utf8'
      });
      if (status === 0) return;
      if (attempt === ATTEMPTS || !stderr.includes(SLOW)) assert.fail(stdout + stderr);
      t.diagnostic(stdout);
    }
  });
}
