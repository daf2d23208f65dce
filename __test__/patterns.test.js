'use strict';
// Wildcards, by the vectors that the Rust matcher is tested with.

const test = require('node:test');
const assert = require('node:assert');
const vectors = require('../crates/mesh/tests/vectors/patterns.json');
const { Prefixes, prefixOf } = require('../lib/channels/prefixes.js');
const { matcher } = require('../lib/channels/matching.js');
const { Patterns, isPattern } = require('../lib/channels/patterns.js');

test('wildcards match in JavaScript what the vectors say, each pattern alone', () => {
  assert.ok(vectors.length > 20);
  for (const { pattern, matches, others } of vectors) {
    const matching = matcher(pattern);
    for (const name of matches) assert.strictEqual(matching(name), true, `${pattern} and ${name}`);
    for (const name of others) assert.strictEqual(matching(name), false, `${pattern} and ${name}`);
  }
});

test('the rest of a long name is not looked at when no pattern can match any more', () => {
  const patterns = new Patterns();
  for (const pattern of ['room.*', 'user-*', '*.changed']) patterns.add(pattern, pattern);
  const name = '.'.repeat(65536);
  const start = performance.now();
  for (let n = 0; n < 1000; n++) assert.deepStrictEqual(patterns.find(name), []);
  assert.ok(performance.now() - start < 1000); // a look at every segment takes some ms each time
  assert.deepStrictEqual(patterns.find(`user-${name}`), []);
  assert.deepStrictEqual(patterns.find(`user-${'x'.repeat(65536)}`), ['user-*']);
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

test('wildcards of any shape match one by one what they match all at once, and are found by how a name begins', () => {
  // Every pattern and every name of a few characters.
  const texts = (characters, length) =>
    length === 0
      ? ['']
      : ['', ...texts(characters, length - 1).flatMap((text) => [...characters].map((one) => one + text))];
  const names = [...new Set(texts('ab.', 5))];
  for (const pattern of new Set(texts('a.*', 6))) {
    if (!isPattern(pattern)) continue;
    const together = new Patterns();
    together.add(pattern, pattern);
    const alone = matcher(pattern);
    const prefixes = new Prefixes();
    prefixes.add(prefixOf(pattern), { pattern });
    for (const name of names) {
      const matching = together.find(name).length > 0;
      assert.strictEqual(alone(name), matching, `'${pattern}' and '${name}'`);
      if (matching) assert.strictEqual(prefixes.find(name).length, 1, `'${pattern}' and '${name}'`);
    }
  }
});
