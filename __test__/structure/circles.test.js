'use strict';
// No file uses one that uses it, by whatever way round.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const circles = require('./circles.js');
const { graph, modules } = require('./rust.js');
const { CRATES, isGenerated, javascript, read } = require('./tree.js');

test('no Rust file uses one that uses it', () => {
  const found = CRATES.flatMap((crate) => {
    const edges = graph(modules(crate, read));
    assert.ok(
      [...edges.values()].some((used) => used.size > 0),
      `the uses in ${crate} were found`
    );
    return circles(edges);
  });
  assert.deepStrictEqual(found, []);
});

test('no file of lib requires one that requires it', () => {
  const required = (/** @type {string} */ file) =>
    [...String(read(file)).matchAll(/\brequire\('(\.[^']+)'\)/g)]
      .map(({ 1: name }) => path.posix.join(path.posix.dirname(file), name))
      .filter((name) => !isGenerated(name));
  const edges = new Map(javascript().map((file) => [file, new Set(required(file))]));
  for (const used of edges.values())
    for (const file of used) assert.ok(read(file) !== undefined, `${file} is required by its whole name`);
  assert.deepStrictEqual(circles(edges), []);
});

test('a circle is found whatever its length, and what only leads to one is no part of it', () => {
  const edges = new Map(
    Object.entries({ a: 'b', b: 'c', c: 'ad', d: 'd', e: 'a', f: 'g', g: 'f', h: '' }).map(([node, to]) => [
      node,
      new Set(to)
    ])
  );
  assert.deepStrictEqual(circles(edges), [['a', 'b', 'c'], ['d'], ['f', 'g']]);
});
