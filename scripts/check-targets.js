'use strict';

// node scripts/check-targets.js [target …]: type-checks the Rust code for every system that the addon is built for, or for those named. Only the
// standard libraries are needed, no linkers and no C compilers.

const { spawnSync } = require('node:child_process');
const { root, run } = require('./sections');
const { napi } = require('../package.json');

const wanted = process.argv.slice(2);
const targets = napi.targets.filter((target) => wanted.length === 0 || wanted.includes(target));
spawnSync('rustup', ['target', 'add', ...targets], { cwd: root, stdio: 'inherit' });

run(
  napi.targets.map((target) => ({
    name: target,
    title: `The Rust code for ${target}`,
    command: 'cargo',
    args: ['check', '--workspace', '--locked', '--target', target]
  }))
);
