'use strict';
// Wildcards, by the vectors that the Rust matcher is tested with.

const test = require('node:test');
const assert = require('node:assert');
const vectors = require('../crates/mesh/tests/vectors/patterns.json');
const { Patterns, isPattern, matcher } = require('../lib/channels/patterns.js');

test('wildcards match in JavaScript what the vectors say, each pattern alone', () => {
  assert.ok(vectors.length > 20);
  for (const { pattern, matches, others } of vectors) {
    const matching = matcher(pattern);
    for (const name of matches) assert.strictEqual(matching(name), true, `${pattern} and ${name}`);
    for (const name of others) assert.strictEqual(matching(name), false, `${pattern} and ${name}`);
  }
});

test('wildcards match in JavaScript what the vectors say, all patterns at once, and those that were removed match nothing', () => {
  const patterns = new Patterns();
  const starred = vectors.filter(({ pattern }) => isPattern(pattern));
  for (const { pattern } of starred) patterns.add(pattern, pattern);
  for (const { pattern, matches, others } of starred) {
    for (const name of matches) assert.ok(patterns.find(name).includes(pattern), `${pattern} and ${name}`);
    for (const name of others) assert.ok(!patterns.find(name).includes(pattern), `${pattern} and ${name}`);
  }
  for (const { pattern, matches } of starred) {
    patterns.delete(pattern, pattern);
    for (const name of matches) assert.ok(!patterns.find(name).includes(pattern), `${pattern} and ${name}`);
  }
  assert.strictEqual(patterns.size, 0);
});
