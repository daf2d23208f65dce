'use strict';

// npm run check [-- part …]: what one runs before a commit. Under a minute when it was run before.

const { run, testFiles } = require('./sections');
const LINT = require('./lint_sections');

/** What the code and the pages are held to, whatever the code does. */
const RULES = [
  '__test__/structure.test.js',
  ...testFiles('__test__/structure'),
  '__test__/documents.test.js',
  '__test__/pages.test.js',
  '__test__/reference.test.js'
];

run([
  ...LINT,
  { name: 'rules', title: 'Structure of the code, pages and reference', command: 'node', args: ['--test', ...RULES] }
]);
