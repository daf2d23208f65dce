'use strict';
// The stress runs with small numbers; `npm run test:stress` runs them in full.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

for (const [script, count] of [['workers.js', 24], ['exits.js', 24]]) {
  test(`${script} ${count}`, { timeout: 120_000 }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(__dirname, script), String(count)], { encoding: 'utf8' });
    assert.strictEqual(status, 0, stdout + stderr);
  });
}
