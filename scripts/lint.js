'use strict';

// npm run lint [part …]

const { run } = require('./sections');

run([
  { name: 'prettier', title: 'Prettier', command: 'bin:prettier', args: ['--check', '.', '--log-level', 'warn'] },
  { name: 'eslint', title: 'ESLint', command: 'bin:eslint', args: ['.', '--max-warnings', '0'] },
  {
    name: 'tsc',
    title: 'Types of the JavaScript',
    command: 'bin:typescript/tsc',
    args: ['-p', 'tsconfig.json', '--noEmit']
  },
  { name: 'fmt', title: 'rustfmt', command: 'cargo', args: ['fmt', '--all', '--check'] },
  {
    name: 'clippy',
    title: 'Clippy',
    command: 'cargo',
    args: ['clippy', '--workspace', '--all-targets', '--locked', '--', '-D', 'warnings']
  }
]);
