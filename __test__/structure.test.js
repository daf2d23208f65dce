'use strict';
// The rules between the rooms that Cargo does not enforce.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const required = (file) => [...read(file).matchAll(/(?:require\(|from )'([^']+)'/g)].map((match) => match[1]);

test('only lib/load.js loads the native part', () => {
  for (const file of [
    'index.js',
    'index.mjs',
    ...fs.readdirSync(path.join(root, 'lib')).map((name) => `lib/${name}`)
  ]) {
    if (!/\.m?js$/.test(file) || file === 'lib/native.js') continue;
    assert.strictEqual(required(file).includes('./native.js'), file === 'lib/load.js', file);
  }
});

test('index.js requires lib only', () => {
  for (const name of required('index.js')) assert.match(name, /^\.\/lib\/\w+\.js$/);
  assert.deepStrictEqual(required('index.mjs'), ['./index.js']);
});

test('the parts of the mesh do not import each other', () => {
  const parts = [
    'channels',
    'directory',
    'hosts',
    'members',
    'patterns',
    'peers',
    'requests',
    'roster',
    'answers',
    'sessions',
    'recent',
    'relays'
  ];
  for (const part of parts) {
    for (const other of [...parts, 'mesh']) {
      assert.ok(!read(`crates/mesh/src/${part}.rs`).includes(`crate::${other}`), `${part} imports ${other}`);
    }
  }
});

test('the rooms depend on those below only', () => {
  const mesh = read('crates/mesh/Cargo.toml');
  for (const name of ['tokio', 'napi', 'distribus-net']) assert.ok(!mesh.includes(name), `mesh depends on ${name}`);
  const net = read('crates/net/Cargo.toml');
  for (const name of ['napi', 'distribus-uv']) assert.ok(!net.includes(name), `net depends on ${name}`);
  assert.ok(!/napi|tokio/.test(read('crates/uv/Cargo.toml')), 'uv depends on napi or tokio');
});

test('the mesh touches no clock, no socket, no thread', () => {
  const folder = 'crates/mesh/src';
  for (const name of fs.readdirSync(path.join(root, folder), { recursive: true })) {
    if (!String(name).endsWith('.rs')) continue;
    assert.doesNotMatch(read(`${folder}/${name}`), /std::(net|thread|fs|io)\b|Instant|SystemTime/, String(name));
  }
});
