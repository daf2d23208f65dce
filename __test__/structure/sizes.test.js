'use strict';
// A file is one concept, and a function can be seen at once.

const test = require('node:test');
const assert = require('node:assert');
const { functions } = require('./rust.js');
const { javascript, read, root, rust } = require('./tree.js');

const LINES = 400;
const LINES_OF_A_FUNCTION = 80;

const linesOf = (/** @type {string} */ file) => String(read(file)).trimEnd().split('\n').length;

test('no file of src, crates and lib has more than 400 lines', () => {
  const files = [...rust(), ...javascript()];
  assert.ok(files.length > 100, 'the files were found');
  assert.deepStrictEqual(
    files.filter((file) => linesOf(file) > LINES),
    []
  );
});

test('no function in Rust has more than 80 lines', () => {
  const found = rust().flatMap((file) => functions(String(read(file))).map((one) => ({ ...one, file })));
  assert.ok(found.length > 1000, 'the functions were found');
  assert.deepStrictEqual(
    found.filter(({ lines }) => lines > LINES_OF_A_FUNCTION).map(({ file, name }) => `${file} ${name}`),
    []
  );
});

test('no function in lib has more than 80 lines, as the linter sees to', async () => {
  const { ESLint } = require('eslint');
  const config = await new ESLint({ cwd: root }).calculateConfigForFile('lib/host/Host.js');
  assert.deepStrictEqual(config.rules['max-lines-per-function'], [
    2,
    { max: LINES_OF_A_FUNCTION, skipBlankLines: false, skipComments: false }
  ]);
});
