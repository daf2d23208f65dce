'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const target = path.join(__dirname, '..', '.cache', 'target');

/** The program of this folder, which plays both ends. */
const program = path.join(target, 'release', 'distribus-bench-limit' + (process.platform === 'win32' ? '.exe' : ''));

/** @returns {{ version: string } | { missing: string }} */
function build() {
  const args = [
    'build',
    '--release',
    '--locked',
    '--quiet',
    '--manifest-path',
    path.join(__dirname, 'Cargo.toml'),
    '--target-dir',
    target
  ];
  const { status, error } = spawnSync('cargo', args, { stdio: 'inherit' });
  if (error) return { missing: 'there is no cargo on this system' };
  if (status !== 0) throw new Error('bench/limit does not build');
  const lock = fs.readFileSync(path.join(__dirname, 'Cargo.lock'), 'utf8');
  return { version: 'tokio-tungstenite ' + /name = "tokio-tungstenite"\s+version = "([^"]+)"/.exec(lock)?.[1] };
}

module.exports = { build, program };
