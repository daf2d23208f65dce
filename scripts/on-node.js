'use strict';

// node scripts/on-node.js WHAT… [-- FILE…]: the JavaScript tests, or only those files, under other versions of Node.js and under other
// runtimes, one after the other. WHAT is a version of npm's package `node` (22, 24, latest), `bun`, `deno`, or the path of a binary.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync, spawnSync } = require('node:child_process');
const { root, testFiles } = require('./sections');

const split = process.argv.indexOf('--');
const wanted = process.argv.slice(2, split === -1 ? undefined : split);
const named = split === -1 ? [] : process.argv.slice(split + 1);
if (wanted.length === 0) {
  console.error('Usage: node scripts/on-node.js VERSION|bun|deno|BINARY… [-- FILE…]');
  process.exit(2);
}

/** What has no `--test` of its own runs file by file. @type {Record<string, string[]>} */
const RUN = { bun: [], deno: ['test', '--allow-all', '--no-check'] };

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'distribus-runtimes-'));
try {
  const failed = wanted.flatMap((what) => testUnder(what).map((file) => `${what}: ${file}`));
  for (const one of failed) console.log(`FAILED  ${one}`);
  console.log(failed.length === 0 ? 'passed' : `${failed.length} failed`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  fs.rmSync(temporary, { recursive: true, force: true });
}

/**
 * @param {string} what
 * @returns {string[]} what failed
 */
function testUnder(what) {
  const binary = fs.existsSync(what) ? path.resolve(what) : install(what);
  const files = named.length > 0 ? named : testFiles('__test__');
  console.log(`\n=== ${what}: ${execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()} ===`);
  const run = RUN[what];
  if (run === undefined) {
    const { status } = spawnSync(binary, ['--test', '--test-concurrency=4', ...files], { cwd: root, stdio: 'inherit' });
    return status === 0 ? [] : ['see above'];
  }
  return files.filter((file) => {
    const { status, stdout, stderr } = spawnSync(
      binary,
      [...(what === 'bun' ? ['test', `./${file}`] : [...run, file])],
      {
        cwd: root,
        encoding: 'utf8',
        timeout: 120_000
      }
    );
    if (status !== 0) console.log(`${file}\n${stdout}\n${stderr}`);
    return status !== 0;
  });
}

/**
 * @param {string} what
 * @returns {string} the binary
 */
function install(what) {
  const name = what in RUN ? what : 'node';
  const folder = path.join(temporary, what);
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'package.json'), '{"private":true}');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const spec = name === 'node' ? `node@${what}` : name;
  execFileSync(npm, ['install', '--no-audit', '--no-fund', spec], {
    cwd: folder,
    stdio: 'ignore',
    shell: process.platform === 'win32'
  });
  const bin = path.join(folder, 'node_modules', '.bin', name);
  return process.platform === 'win32' ? `${bin}.cmd` : bin;
}
