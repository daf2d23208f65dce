'use strict';
// What the rules for Rust rest on: how its files are read.

const test = require('node:test');
const assert = require('node:assert');
const { code, functions, graph, modules } = require('./rust.js');

const edgesOf = (/** @type {Record<string, string>} */ files) =>
  Object.fromEntries(
    [...graph(modules('lib.rs', (file) => files[file]))].map(([file, used]) => [file, [...used].sort()])
  );

test('comments, strings, characters and nothing else are no code', () => {
  const text = [
    `let a = "} \\" {"; // }`,
    `let b = r#"fn x() { "quoted" "#; /* { /* { */ fn y() { */`,
    `let c = ('{', '\\'', '\\u{7b}', b'}', '\\n', "\\\\");`,
    `fn with<'a>(text: &'a str) -> &'a str { text }`
  ].join('\n');
  const plain = code(text);
  assert.strictEqual(plain.length, text.length);
  assert.deepStrictEqual(
    plain.split('\n').map((line) => line.replace(/\s+/g, ' ').trim()),
    ['let a = ;', 'let b = ;', 'let c = ( , , , b , , );', `fn with<'a>(text: &'a str) -> &'a str { text }`]
  );
});

test('a function is as long as from its name to the end of its body, whatever stands in its signature', () => {
  const text = `trait T { fn none(&self) -> [u8; 4]; }
/// fn not_this() {}
pub async fn first<F>(
    f: F,
) -> Option<[u8; 2]>
where
    F: Fn(&str) -> u8,
{
    let text = "}";
    fn inner() {
    }
}
fn second() { let pointer: fn(u8) -> u8 = f; }
`;
  assert.deepStrictEqual(functions(text), [
    { name: 'first', line: 3, lines: 10 },
    { name: 'inner', line: 10, lines: 2 },
    { name: 'second', line: 13, lines: 1 }
  ]);
});

test('a file uses those that its use declarations and its paths name, however they are written', () => {
  assert.deepStrictEqual(
    edgesOf({
      'lib.rs': 'mod a;\nmod b;\nmod c;\nmod d;\nuse std::fmt;\n',
      'a.rs': 'use crate::{\n  b::{self, One},\n  c as other, fmt::Debug,\n};\n',
      'b.rs': 'mod inner;\nfn f() { super::c::g(); inner::h(); std::d::x(); }',
      'b/inner.rs': 'use super::super::d::*;\nuse super::One;',
      'c.rs': '// use crate::a;\nfn f() -> crate :: d :: Thing { "crate::a::x" }',
      'd.rs': '#[cfg(test)]\nmod tests {\n  use crate::a::X;\n}\n#[cfg(all(test, unix))]\nmod more;\n'
    }),
    {
      'lib.rs': [],
      'a.rs': ['b.rs', 'c.rs'],
      'b.rs': ['b/inner.rs', 'c.rs'],
      'b/inner.rs': ['b.rs', 'd.rs'],
      'c.rs': ['d.rs'],
      'd.rs': []
    }
  );
});

test('what a module passes on is used where it is made, and passing it on is no use', () => {
  assert.deepStrictEqual(
    edgesOf({
      'lib.rs': 'mod p;\npub use p::Thing;\npub(crate) use p::second::*;\npub struct Own;\n',
      'p.rs': 'mod first;\npub mod second;\npub use first::Thing as Renamed;\npub use first::Thing;\n',
      'p/first.rs': 'use super::second::Second;\nuse crate::Own;\npub struct Thing;',
      'p/second.rs': 'use crate::p::Renamed;\nuse crate::{Thing, Made};\npub enum Made {}\npub struct Second;'
    }),
    {
      'lib.rs': [],
      'p.rs': [],
      'p/first.rs': ['lib.rs', 'p/second.rs'],
      'p/second.rs': ['p/first.rs']
    }
  );
});

test('a module without a file is an error, not one that uses nothing', () => {
  assert.throws(() => edgesOf({ 'lib.rs': 'mod missing;' }), /lib.rs declares the module missing/);
});
