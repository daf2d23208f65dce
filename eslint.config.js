'use strict';

const js = require('@eslint/js');
const globals = require('globals');

/** @param {string} message */
const noNative = (message) => ['error', { patterns: [{ regex: 'native(\\.js)?$', message }] }];

/** What tests replace by fakes, and what only Node.js has. */
const OF_THE_PLATFORM = [
  'setImmediate',
  'clearImmediate',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'queueMicrotask',
  'performance',
  'Date',
  'process',
  'Buffer',
  'global',
  'console',
  '__filename',
  '__dirname'
];
const elsewhere = 'Take it from lib/platform: tests put a fake in its place, or not every environment has it.';

module.exports = [
  { ignores: ['lib/**/native.js', 'target/', 'coverage/', 'docs/.vitepress/{cache,dist}/', '**/*.d.ts'] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2023, sourceType: 'commonjs', globals: globals.node },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }],
      'no-restricted-imports': 'off',
      strict: ['error', 'global']
    }
  },
  {
    files: ['lib/**/*.js', 'index.js'],
    ignores: ['lib/platform/**'],
    rules: {
      'no-restricted-globals': ['error', ...OF_THE_PLATFORM.map((name) => ({ name, message: elsewhere }))],
      'no-restricted-properties': [
        'error',
        ...OF_THE_PLATFORM.map((property) => ({ object: 'globalThis', property, message: elsewhere }))
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.name='require'][arguments.0.value=/^(?![.]|bluebird)/]",
          message: elsewhere
        }
      ]
    }
  },
  {
    files: ['lib/**/*.js', 'index.js'],
    rules: { 'max-lines-per-function': ['error', { max: 80, skipBlankLines: false, skipComments: false }] }
  },
  { files: ['**/*.mjs'], languageOptions: { sourceType: 'module' }, rules: { strict: 'off' } },
  {
    files: ['**/*.mjs'],
    rules: { 'no-restricted-imports': noNative('Only lib/crossing/native may load the native part.') }
  }
];
