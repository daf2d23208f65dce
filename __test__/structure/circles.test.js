'use strict';
// No file uses one that uses it, by whatever way round.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const circles = require('./circles.js');
const { graph, modules } = require('./rust.js');
const { CRATES, javascript, read } = require('./tree.js');

/** Those that are still there. This list only becomes shorter: who opens one takes it out. */
const KNOWN = [
  [
    'crates/mesh/src/mesh.rs',
    'crates/mesh/src/mesh/asking.rs',
    'crates/mesh/src/mesh/network/closing.rs',
    'crates/mesh/src/mesh/network/twins.rs',
    'crates/mesh/src/mesh/traffic/cargo.rs',
    'crates/mesh/src/mesh/traffic/interest.rs',
    'crates/mesh/src/mesh/traffic/sessions.rs',
    'crates/mesh/src/mesh/traffic/v1_hosts.rs'
  ],
  ['crates/mesh/src/mesh/network/joining.rs', 'crates/mesh/src/mesh/network/members.rs']
];

const within = (/** @type {string[]} */ circle, /** @type {string[]} */ known) =>
  circle.every((file) => known.includes(file));

test('no Rust file uses one that uses it', () => {
  const found = CRATES.flatMap((crate) => {
    const edges = graph(modules(crate, read));
    assert.ok(
      [...edges.values()].some((used) => used.size > 0),
      `the uses in ${crate} were found`
    );
    return circles(edges);
  });
  assert.deepStrictEqual(
    found.filter((circle) => !KNOWN.some((known) => within(circle, known))),
    []
  );
  assert.deepStrictEqual(
    KNOWN.filter((known) => !found.some((circle) => within(circle, known))),
    [],
    'these are known no more'
  );
});

test('no file of lib requires one that requires it', () => {
  const required = (/** @type {string} */ file) =>
    [...String(read(file)).matchAll(/\brequire\('(\.[^']+)'\)/g)].map(({ 1: name }) =>
      path.posix.join(path.posix.dirname(file), name)
    );
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
