'use strict';
// Runs the test suite of the original package, unmodified, against this one. Mocha's own exit code and counts decide.

const path = require('node:path');
const { spawnSync } = require('node:child_process');

const EXPECTED = 51;
const folder = path.join(path.dirname(require.resolve('distribus-original/package.json')), 'test');
const files = ['Host', 'Peer', 'index', 'requestify'].map((name) => path.join(folder, `${name}.test.js`));
const mocha = require.resolve('mocha/bin/mocha.js');
const args = [mocha, '--exit', '--require', path.join(__dirname, 'redirect.js'), ...files];

const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 });
process.stdout.write(stdout);
process.stderr.write(stderr);
const passing = Number(/(\d+) passing/.exec(stdout)?.[1]);
if (passing !== EXPECTED) console.error(`${passing} of ${EXPECTED} tests passed`);
process.exitCode = status === 0 && passing === EXPECTED ? 0 : 1;
