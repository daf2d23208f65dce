'use strict';

// npm run lint [-- part …]

const { run } = require('./sections');
const LINT = require('./lint_sections');

run([
  ...LINT,
  { name: 'deny', title: 'Licences and known faults of the crates', command: 'node', args: ['scripts/deny.js'] }
]);
