'use strict';

const js = require('@eslint/js');
const globals = require('globals');

/** @param {string} message */
const noNative = (message) => ['error', { patterns: [{ regex: 'native(\\.js)?$', message }] }];

/** What tests replace by fakes, and what not every environment has. */
const FAKED = [
  'setImmediate',
  'clearImmediate',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'queueMicrotask',
  'performance',
  'Date'
];
const faked = 'Take it from lib/platform: tests replace this one by a fake.';

module.exports = [
  { ignores: ['lib/**/native.js', 'target/', 'coverage/', '**/*.d.ts'] },
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
      'no-restricted-globals': ['error', ...FAKED.map((name) => ({ name, message: faked }))],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'nextTick', message: faked },
        { object: 'process', property: 'hrtime', message: faked },
        ...FAKED.map((property) => ({ object: 'globalThis', property, message: faked }))
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.name='require'][arguments.0.value=/^(node:)?(timers|perf_hooks)/]",
          message: faked
        }
      ]
    }
  },
  { files: ['**/*.mjs'], languageOptions: { sourceType: 'module' }, rules: { strict: 'off' } },
  {
    files: ['**/*.mjs'],
    rules: { 'no-restricted-imports': noNative('Only lib/crossing/native may load the native part.') }
  }
];
