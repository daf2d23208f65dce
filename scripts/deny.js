'use strict';

// What the addon is made of: licences, sources and known faults of its crates, by cargo-deny and deny.toml. Without cargo-deny, or where its list of
// advisories cannot be had, what was left out is said and nothing fails.

const { spawnSync } = require('node:child_process');
const { root } = require('./sections');

/** @param {string[]} args */
const deny = (...args) => spawnSync('cargo', ['deny', ...args], { cwd: root, encoding: 'utf8' });

if (deny('--version').status !== 0) {
  console.log('Left out: cargo-deny is not installed. `cargo install --locked cargo-deny` installs it.');
} else {
  const checked = deny('--locked', 'check', 'licenses', 'bans', 'sources');
  const known = deny('--locked', 'check', 'advisories');
  const left = known.status !== 0 && known.stderr.includes('failed to fetch advisory database');
  console.log((checked.stderr + checked.stdout).trim());
  console.log(
    left ? 'Left out: the list of advisories cannot be had from here.' : (known.stderr + known.stdout).trim()
  );
  process.exitCode = checked.status === 0 && (left || known.status === 0) ? 0 : 1;
}
