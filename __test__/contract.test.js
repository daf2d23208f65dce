'use strict';
// What crosses between JavaScript and Rust is written in both languages and in a document: all three say the same.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const contract = require('../lib/crossing/contract.js');
const { NativeHost } = require('../lib/crossing/native/load.js');

const root = path.join(__dirname, '..');
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

/** Each table of the contract as text: `{ LINES: { SEND: 's', … }, … }`. */
const written = Object.fromEntries(
  Object.entries(contract).map(([table, entries]) => [
    table,
    Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, String(value)]))
  ])
);

test('the contract of the crossing has its tables, and no value stands twice in one', () => {
  assert.deepStrictEqual(Object.keys(written).sort(), [
    'CHANGES',
    'FLAGS',
    'FORMS',
    'KINDS',
    'LINES',
    'MEMBERSHIPS',
    'OUTCOMES',
    'REPLIES'
  ]);
  for (const [table, entries] of Object.entries(written)) {
    const values = Object.values(entries);
    assert.ok(values.length >= 2, table);
    assert.strictEqual(new Set(values).size, values.length, table);
  }
});

test('Rust has the same letters, kinds and flags of the crossing as JavaScript', () => {
  const tables = {};
  for (const [, name, body] of read('src/contract.rs').matchAll(/^pub mod (\w+) \{\n([^}]*)^\}/gm)) {
    const constants = [...body.matchAll(/pub const (\w+): [^=]+ = (?:b'(.)'|"(\d+)"|(\d+));/g)];
    assert.strictEqual(constants.length, body.split('pub const').length - 1, `each constant of ${name} is read`);
    tables[name.toUpperCase()] = Object.fromEntries(
      constants.map(([, constant, letter, text, number]) => [constant, letter ?? text ?? number])
    );
  }
  assert.deepStrictEqual(tables, written);
});

test('the rest of the crossing spells none of its letters, kinds and flags out', () => {
  for (const file of ['src/ops.rs', 'src/delivery.rs'])
    assert.doesNotMatch(read(file), /b'[a-z0-9+-]'|push\("\d+"|^\s*"\d+" =>/m, file);
  for (const file of fs.readdirSync(path.join(root, 'lib'), { recursive: true })) {
    const name = file.replaceAll(path.sep, '/');
    if (!name.endsWith('.js') || /^crossing\/(contract|native\/native)\.js$/.test(name)) continue;
    for (const [, constant] of read(`lib/${name}`).matchAll(/^const ([A-Z][A-Z_0-9]*) = (?:\d+|'.');/gm))
      for (const [table, entries] of Object.entries(contract))
        assert.ok(!(constant in entries), `${name} has a ${constant} of its own, beside that of ${table}`);
  }
});

test('the page on the crossing lists each letter, kind and flag, and no other', () => {
  const pages = fs
    .readdirSync(path.join(root, 'docs'), { recursive: true })
    .filter((file) => file.endsWith('.md') && /^# The crossing$/m.test(read(`docs/${file}`)));
  assert.strictEqual(pages.length, 1, 'there is one such page');
  const tables = {};
  for (const [, name, body] of read(`docs/${pages[0]}`).matchAll(
    /^<!-- ([A-Z]+) -->\n\|.*\n\|[-|]+\n((?:\|.*\n)+)/gm
  )) {
    const rows = body.trimEnd().split('\n');
    const listed = rows.map((row) => row.match(/^\| `?([^ `]+)`?[^|]* \| ([A-Z_0-9]+) \|/));
    assert.ok(listed.every(Boolean), `each row of ${name} is read`);
    tables[name] = Object.fromEntries(listed.map(([, value, constant]) => [constant, value]));
  }
  assert.deepStrictEqual(tables, written);
});

test('the native class has the methods of the contract, and no other', () => {
  const [, body] = read('lib/crossing/contract.js').match(/@typedef \{object\} Carrier\n([^]*?)\*\//);
  const properties = [...body.matchAll(/@property \{.*\} (\w+)/g)].map(([, name]) => name);
  const own = Object.getOwnPropertyNames(NativeHost.prototype).filter((name) => name !== 'constructor');
  assert.deepStrictEqual(properties.sort(), own.sort());
});
