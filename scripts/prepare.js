'use strict';

// npm runs this after an install in a clone (and before packing). It builds the addon, unless that is built already.
// In a published package it does not run, and is not even there.

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { platformName } = require('./platform');

const root = path.join(__dirname, '..');
const addon = path.join(root, 'lib/crossing/native', `distribus.${platformName()}.node`);
const loader = path.join(root, 'lib/crossing/native/native.js');
const sources = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src', 'crates', 'package.json'];

if (fs.existsSync(path.join(root, 'Cargo.toml'))) main();

function main() {
  if (isFresh()) {
    console.log(`distribus: ${path.relative(root, addon)} is newer than all Rust sources, nothing to build`);
    return;
  }
  checkCargo();
  console.log('distribus: building the native addon (the first time takes a minute or two)');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const build = spawnSync(npm, ['run', 'build'], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (build.status !== 0) fail('The native addon could not be built; what the compiler said is above.');
}

/** Ends the process with a clear message when there is no Rust, or one that is too old. */
function checkCargo() {
  const needed = /^rust-version\s*=\s*"([\d.]+)"/m.exec(fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8'))?.[1];
  const cargo = spawnSync('cargo', ['--version'], { encoding: 'utf8', cwd: root });
  if (cargo.error || cargo.status !== 0) {
    fail(
      'This is a clone of distribus, so its native addon is built here, and that needs Rust: the command "cargo" was not ' +
        `found or does not run. Install Rust ${needed} or newer (https://rustup.rs), open a new terminal and run ` +
        '"npm install" again. Only want to use distribus? Then install the published package, which needs no Rust.'
    );
  }
  const found = /(\d+\.\d+(\.\d+)?)/.exec(cargo.stdout)?.[1];
  if (found && needed && isOlder(found, needed)) {
    fail(
      `Building distribus needs Rust ${needed} or newer, and the cargo that was found is ${found}. ` +
        'Update it ("rustup update stable") and run "npm install" again.'
    );
  }
}

/**
 * @param {string} found
 * @param {string} needed
 */
function isOlder(found, needed) {
  const [a, b] = [found, needed].map((version) => version.split('.').map(Number));
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}

/** Is there an addon that was built after the last change of what it is built from? */
function isFresh() {
  if (!fs.existsSync(addon) || !fs.existsSync(loader)) return false;
  const built = Math.min(fs.statSync(addon).mtimeMs, fs.statSync(loader).mtimeMs);
  return sources.every((source) => newest(path.join(root, source)) <= built);
}

/**
 * The time of the last change of a file, or of anything in a directory.
 * @param {string} entry
 * @returns {number}
 */
function newest(entry) {
  const stat = fs.statSync(entry, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...fs.readdirSync(entry).map((name) => newest(path.join(entry, name))));
}

/** @param {string} text */
function fail(text) {
  console.error(`\ndistribus: ${text}\n`);
  process.exit(1);
}
