'use strict';

const js = require('@eslint/js');
const globals = require('globals');

/** @param {string} message */
const noNative = (message) => ['error', { patterns: [{ regex: 'native(\\.js)?$', message }] }];

module.exports = [
  { ignores: ['lib/native.js', 'target/', 'coverage/', '**/*.d.ts'] },
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
  { files: ['**/*.mjs'], languageOptions: { sourceType: 'module' }, rules: { strict: 'off' } },
  { files: ['**/*.mjs'], rules: { 'no-restricted-imports': noNative('Only lib/load.js may load the native part.') } }
];
