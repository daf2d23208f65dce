'use strict';
// The stress runs with small numbers; `npm run test:stress` runs them in full.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

for (const [script, ...numbers] of [
  ['workers.js', 24],
  ['exits.js', 24],
  ['half_open.js', 1500, 5],
  ['overload.js', 5, 2, 0.4],
  ['soak.js', 10]
]) {
  test([script, ...numbers].join(' '), { timeout: 120_000 }, () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(__dirname, script), ...numbers.map(String)],
      { encoding: 'utf8' }
    );
    assert.strictEqual(status, 0, stdout + stderr);
  });
}
