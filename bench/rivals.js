'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const brokers = require('./brokers.js');
const limit = require('./limit/index.js');
const rival = require('./drivers/rival.js');
const { contenders } = require('./drivers/index.js');

const source = path.join(__dirname, 'rivals');
const cache = path.join(__dirname, '.cache');
const files = ['package.json', 'package-lock.json'];

/** Installs the rivals, in the versions of rivals/package-lock.json, unless they are. */
function install() {
  const done = path.join(cache, 'installed');
  const wanted = files.map((file) => fs.readFileSync(path.join(source, file), 'utf8')).join('');
  if (fs.existsSync(done) && fs.readFileSync(done, 'utf8') === wanted) return;
  console.error('Installing the rivals …');
  fs.mkdirSync(cache, { recursive: true });
  for (const file of files) fs.copyFileSync(path.join(source, file), path.join(cache, file));
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel', 'error'], {
    cwd: cache,
    stdio: 'inherit',
    shell: process.platform === 'win32'
  });
  if (status !== 0) throw new Error('npm ci has failed in bench/.cache');
  fs.writeFileSync(done, wanted);
}

/**
 * Which of the contenders can run here: their versions, or why not.
 * @param {Iterable<string>} names
 * @returns {Map<string, { version: string } | { missing: string }>}
 */
function available(names) {
  return new Map(Array.from(names, (name) => [name, check(name)]));
}

/**
 * @param {string} name
 * @returns {{ version: string } | { missing: string }}
 */
function check(name) {
  const { package: needed, broker, limit: program, sender } = contenders[name];
  if (program) return limit.build();
  if (name === 'ours-native' && !(require('./drivers/ours-native.js').host().list() instanceof Promise)) {
    return { missing: 'this build has no option Promise' };
  }
  if (sender !== undefined || name.startsWith('ours')) return { version: require('../package.json').version };
  if (name === 'original') return { version: require('distribus-original/package.json').version };
  if (needed === undefined) return { version: process.version };
  try {
    rival(needed);
  } catch (error) {
    return { missing: `${needed} does not load: ${error instanceof Error ? error.message.split('\n')[0] : error}` };
  }
  const version = JSON.parse(fs.readFileSync(path.join(cache, 'node_modules', needed, 'package.json'), 'utf8')).version;
  if (broker === undefined) return { version };
  if (brokers.find(broker) === undefined) return { missing: `there is no ${broker}-server on this system` };
  return { version: `${version} with ${broker}-server ${brokers.versionOf(broker)}` };
}

/**
 * Whether the system has a program.
 * @param {string} name
 */
function hasProgram(name) {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;
}

module.exports = { available, hasProgram, install };
