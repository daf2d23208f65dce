'use strict';
// Plays what the fuzzer that is a member has kept: some ordinary rounds, and each that has found something. __test__/fuzz/run.js makes more.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { replay } = require('./fuzz/run.js');

const corpus = path.join(__dirname, 'fuzz/corpus');

for (const file of fs.readdirSync(corpus)) {
  test(`a member says what is in ${file}`, { timeout: 60_000 }, async () => {
    assert.deepStrictEqual(await replay([path.join(corpus, file)]), []);
  });
}
