'use strict';
// The table of docs/internals/bounds.md and the attacks that fill its rows name each other. `__test__/bounds/walk.js` walks it.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const attacks = require('./bounds/attacks.js');

const page = fs.readFileSync(path.join(__dirname, '../docs/internals/bounds.md'), 'utf8');
const [, section] = /## What others can make grow\n([^]*?)\n## /.exec(page) ?? [];
const rows = (section ?? '')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()));

test('every row of the table of bounds is filled by an attack, and every attack fills a row', () => {
  assert.ok(rows.length > 30);
  const named = new Set();
  for (const [, what, bound, , beyond, filled] of rows) {
    assert.ok(bound && beyond, what);
    const names = [...(filled ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name);
    assert.ok(names.length > 0, `nothing fills: ${what}`);
    for (const name of names) named.add(name);
  }
  assert.deepStrictEqual([...named].sort(), Object.keys(attacks).sort());
});

test('the options that the table names are options', () => {
  const options = fs.readFileSync(path.join(__dirname, '../docs/reference/options.md'), 'utf8');
  for (const [, what, , option] of rows) {
    for (const [, name] of option.matchAll(/`([^`]+)`/g))
      assert.ok(options.includes(`### ${name}\n`), `${what}: ${name}`);
  }
});
