'use strict';
// The rules between the rooms that Cargo does not enforce.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { code, functions } = require('./structure/rust.js');
const { filesIn, javascript, read, root } = require('./structure/tree.js');

const required = (file) => [...String(read(file)).matchAll(/(?:require\(|from )'([^']+)'/g)].map((match) => match[1]);

test('only lib/crossing/native loads the native part', () => {
  for (const file of ['index.js', 'index.mjs', ...javascript(), ...filesIn('lib', '.mjs')]) {
    const loads = required(file).some((name) => /(^|\/)native(\.js)?$/.test(name));
    assert.strictEqual(loads, file === 'lib/crossing/native/load.js', file);
  }
});

test('lib takes Node.js and what else is around it from lib/platform alone, and lib/platform requires nothing else of lib', () => {
  for (const file of javascript()) {
    const platform = file.startsWith('lib/platform/');
    for (const name of required(file)) {
      if (!name.startsWith('.')) {
        assert.ok(
          platform ? name.startsWith('node:') : name === 'bluebird/js/release/promise',
          `${file} requires ${name}`
        );
        continue;
      }
      const target = path.posix.join(path.posix.dirname(file), name);
      if (platform) assert.match(target, /^lib\/platform\//, file);
      else if (target.startsWith('lib/platform/')) assert.strictEqual(target, 'lib/platform/index.js', file);
    }
  }
});

/** Is counted in everywhere, and has plain fields for that. */
const COUNTERS = 'stats';

test('only lib/host knows the core: other parts of lib name the few members of it that they need', () => {
  const others = javascript().filter((file) => !file.startsWith('lib/host/'));
  assert.ok(others.length > 30, 'the files were found');
  for (const file of others) {
    const text = String(read(file));
    for (const name of required(file)) {
      if (file !== 'lib/Host.js') assert.doesNotMatch(name, /\/host\//, file);
    }
    for (const [named, how, name] of text.matchAll(/(Pick<|)import\('[./]+\/host\/(\w+)(?:\.js)?'\)/g)) {
      assert.ok(name !== 'core' && (how === 'Pick<' || name === COUNTERS), `${file} names ${named}`);
    }
  }
});

test('index.js requires lib only', () => {
  for (const name of required('index.js')) assert.match(name, /^\.\/lib\/\w+\/\w+\.js$/);
  assert.deepStrictEqual(required('index.mjs'), ['./index.js']);
});

/** The mesh's parts: data that do not know each other. */
const PARTS = [
  'answers',
  'channels',
  'directory',
  'gossip',
  'hearsay',
  'hosts',
  'liveness',
  'numbers',
  'peers',
  'questions',
  'recent',
  'relays',
  'roster',
  'sessions'
];

/** What lies under the mesh's parts, each above what it may use. */
const GROUND = [
  'words',
  'json',
  'urls',
  'hash',
  'sabotage',
  'topic',
  'limits',
  'config',
  'payload',
  'error',
  'event',
  'stats',
  'wire'
];

const MIND = 'crates/mesh/src';

/** A Rust file without comments and tests. */
const codeOf = (file) =>
  read(file)
    .split('#[cfg(test)]')[0]
    .replace(/\/\/.*/g, '');

/** The modules of the mesh that a file uses, by the first and the second step of their paths. */
function used(file) {
  return [...codeOf(file).matchAll(/\bcrate::(\w+)(?:::(\w+))?/g)].map((match) => [match[1], match[2]]);
}

/** The files of a module of the mesh. */
function filesOf(module) {
  const folder = path.join(root, MIND, module);
  const inside = fs.existsSync(folder)
    ? fs.readdirSync(folder, { recursive: true }).map((name) => `${module}/${name}`)
    : [];
  return [`${module}.rs`, ...inside]
    .filter((name) => name.endsWith('.rs') && fs.existsSync(path.join(root, MIND, name)))
    .map((name) => `${MIND}/${name}`);
}

test('the parts of the mesh do not import each other', () => {
  const declared = [...read(`${MIND}/parts.rs`).matchAll(/^pub mod (\w+);$/gm)].map((match) => match[1]);
  assert.deepStrictEqual(declared, PARTS);
  for (const part of PARTS) {
    for (const file of filesOf(`parts/${part}`)) {
      for (const [module, other] of used(file)) {
        assert.ok(GROUND.includes(module) || (module === 'parts' && other === part), `${file} uses ${module} ${other}`);
      }
      assert.doesNotMatch(codeOf(file), file.endsWith(`parts/${part}.rs`) ? /super::/ : /super::super::/, file);
    }
  }
});

test('what lies under the parts of the mesh uses only what lies below it', () => {
  const declared = [...read(`${MIND}/lib.rs`).matchAll(/^(?:pub )?mod (\w+);$/gm)].map((match) => match[1]);
  assert.deepStrictEqual(declared.sort(), [...GROUND, 'mesh', 'parts'].sort());
  for (const [height, module] of GROUND.entries()) {
    const below = GROUND.slice(0, height + 1);
    for (const file of filesOf(module)) {
      for (const [other] of used(file)) assert.ok(below.includes(other), `${file} uses ${other}`);
    }
  }
});

/** What a room is built with: other rooms, and what comes from elsewhere. */
const BUILT_WITH = {
  'crates/mesh': ['bytes', 'bytestring', 'fastrand', 'memchr', 'serde', 'serde_json', 'thiserror'],
  'crates/net': [
    ...['distribus-mesh', 'bytes', 'bytestring', 'fastrand', 'httparse', 'parking_lot', 'socket2', 'thiserror'],
    ...['tokio', 'tokio-tungstenite', 'tracing', 'turmoil']
  ],
  'crates/uv': ['distribus-net', 'libc', 'libloading', 'parking_lot', 'tracing'],
  '.': [
    ...['distribus-mesh', 'distribus-net', 'distribus-uv', 'bytes', 'bytestring', 'napi', 'napi-derive'],
    ...['parking_lot', 'serde_json']
  ]
};

test('each room is built with what is written here, which for rooms means those below', () => {
  for (const [room, expected] of Object.entries(BUILT_WITH)) {
    const sections = read(`${room}/Cargo.toml`).split(/^\[/m);
    const names = sections
      .filter((section) => /^(target\..*\.)?dependencies\]/.test(section))
      .flatMap((section) => [...section.matchAll(/^([\w-]+)(?:\.workspace)?\s*=/gm)].map((match) => match[1]));
    assert.deepStrictEqual(names.sort(), [...expected].sort(), room);
  }
});

/** All that traffic asks of network, which stands above it: six questions to the struct, and one call that does something. */
const ASKED_OF_NETWORK = [
  'alias (for_traffic.rs)',
  'any_unlisted (for_traffic.rs)',
  'break_off (losing.rs)',
  'joined (for_traffic.rs)',
  'link (for_traffic.rs)',
  'route_to_host (for_traffic.rs)',
  'v1_links (for_traffic.rs)',
  'whereabouts (for_traffic.rs)'
];

test('what is said calls who is there by a short list only, and knows no file of it', () => {
  const filesUnder = (name) => filesOf(`mesh/${name}`);
  const functionsUnder = (name) =>
    filesUnder(name).flatMap((file) =>
      functions(read(file)).map((one) => [one.name, `${one.name} (${path.basename(file)})`])
    );
  const above = new Map(functionsUnder('network'));
  const below = new Map(functionsUnder('traffic'));
  assert.ok(above.size > 50 && below.size > 50, 'the functions were found');
  const asked = new Set();
  for (const file of filesUnder('traffic')) {
    const plain = code(read(file));
    assert.doesNotMatch(plain, /\bnetwork::/, file);
    for (const { 1: struct, 2: name, 3: called } of plain.matchAll(
      /\b(?:self|mesh)\s*\.\s*(network\s*\.\s*)?(\w+)\s*(\(|)/g
    )) {
      if (struct !== undefined) asked.add(called ? (above.get(name) ?? name) : `the field ${name}`);
      else if (called && above.has(name) && !below.has(name)) asked.add(above.get(name));
    }
  }
  assert.deepStrictEqual([...asked].sort(), ASKED_OF_NETWORK);
});

test('what other hosts say is read at one door, which alone checks what is in it', () => {
  const places = (/** @type {RegExp} */ pattern) =>
    filesIn(MIND, '.rs').filter((file) => pattern.test(code(String(read(file)))));
  const door = (/** @type {string} */ file) => file.startsWith(`${MIND}/mesh/receiving`);
  const elsewhere = (/** @type {RegExp} */ pattern) =>
    places(pattern).filter((file) => !door(file) && !file.startsWith(`${MIND}/wire`));
  // Frames and what is in them, each kind by its reader.
  for (const reader of [/\bv[12]::decode\(/, /\bQuestion::read\(/, /\bWelcome::read\(/, /\bv1::urls\(/]) {
    assert.strictEqual(places(reader).filter(door).length, 1, String(reader));
    assert.deepStrictEqual(elsewhere(reader), [], String(reader));
  }
  assert.deepStrictEqual(elsewhere(/\b(Hello|member)::read\(|\bbody\.params\b|\bMAX_(HOST_ID|URL)\b/), [
    `${MIND}/limits.rs`
  ]);
  // The other one asks whether what is to be sent fits what its receiver accepts.
  assert.deepStrictEqual(
    elsewhere(/\b(limits\.allow|allow_name|allow_head)\(/).filter((file) => file !== `${MIND}/limits.rs`),
    [`${MIND}/mesh/traffic/cargo.rs`]
  );
});

test('the mesh touches no clock, no socket, no thread', () => {
  for (const file of filesIn(MIND, '.rs')) {
    assert.doesNotMatch(String(read(file)), /std::(net|thread|fs|io)\b|Instant|SystemTime/, file);
  }
});
