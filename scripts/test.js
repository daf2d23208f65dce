'use strict';

// npm test [-- part …]: every test, or only the named parts.

const os = require('node:os');
const { run, testFiles } = require('./sections');

// So many files at a time: most of the time they wait.
const concurrency = `--test-concurrency=${Math.max(4, os.availableParallelism())}`;

run([
  { name: 'rust', title: 'Rust tests of all rooms', command: 'cargo', args: ['test', '--workspace', '--locked'] },
  {
    name: 'turmoil',
    title: 'The sockets of crates/net over a simulated network',
    command: 'cargo',
    args: ['test', '-p', 'distribus-net', '--features', 'simulated', '--test', 'turmoil', '--locked']
  },
  {
    name: 'fuzz',
    title: 'The fuzz targets, without a fuzzer, over their corpus',
    command: 'cargo',
    args: ['test', '--manifest-path', 'fuzz/Cargo.toml', '--locked']
  },
  { name: 'node', title: 'JavaScript tests', command: 'node', args: ['--test', concurrency, ...testFiles('__test__')] },
  {
    name: 'portable',
    title: 'JavaScript tests, sockets read off the thread of JavaScript',
    command: 'node',
    args: ['--test', concurrency, ...testFiles('__test__')],
    env: { DISTRIBUS_IO: 'portable' }
  },
  {
    name: 'bounds',
    title: 'Hostile members and strangers, for each row of docs/internals/bounds.md',
    command: 'node',
    args: ['--test', '__test__/bounds/walk.js']
  },
  {
    name: 'chaos',
    title: 'Host processes that are killed, frozen and cut off, for a minute',
    command: 'node',
    args: ['__test__/chaos/run.js', '--seconds', '60']
  },
  { name: 'original', title: "The original's own test suite", command: 'node', args: ['__test__/original/run.js'] },
  { name: 'types', title: 'Type tests', command: 'bin:typescript/tsc', args: ['-p', '__test__/types'] },
  { name: 'pack', title: 'The packed packages in an empty project', command: 'node', args: ['scripts/pack-test.js'] },
  {
    name: 'tools',
    title: 'Bundlers, and test runners with fake timers',
    command: 'node',
    args: ['scripts/tools-test.js']
  }
]);
