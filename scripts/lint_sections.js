'use strict';

/** What looks at the code without running it. @type {import('./sections').Section[]} */
const LINT = [
  {
    name: 'prettier',
    title: 'Prettier',
    command: 'bin:prettier',
    args: ['--check', '.', '--cache', '--log-level', 'warn']
  },
  {
    name: 'eslint',
    title: 'ESLint',
    command: 'bin:eslint',
    args: [
      '.',
      '--max-warnings',
      '0',
      '--cache',
      '--cache-strategy',
      'content',
      '--cache-location',
      'node_modules/.cache/eslint'
    ]
  },
  {
    name: 'tsc',
    title: 'Types of the JavaScript',
    command: 'bin:typescript/tsc',
    args: ['-p', 'tsconfig.json', '--noEmit', '--incremental', '--tsBuildInfoFile', 'node_modules/.cache/tsc']
  },
  { name: 'fmt', title: 'rustfmt', command: 'cargo', args: ['fmt', '--all', '--check'] },
  {
    name: 'clippy',
    title: 'Clippy',
    command: 'cargo',
    args: ['clippy', '--workspace', '--all-targets', '--locked', '--', '-D', 'warnings']
  }
];

module.exports = LINT;
