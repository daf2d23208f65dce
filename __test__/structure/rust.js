'use strict';
// Reads Rust as far as the rules of the house need it: which functions there are, and which file uses which.

const path = require('node:path');

/** What is no code: comments (those of blocks may be nested), strings, characters. Lifetimes are code. */
const OPENING = /\/\/|\/\*|\b[bc]?r(#*)"|"|'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])'/g;

/**
 * @param {string} text
 * @returns {string} the same length and lines, with blanks in the place of comments, strings and characters
 */
function code(text) {
  let out = '';
  let at = 0;
  OPENING.lastIndex = 0;
  for (let found = OPENING.exec(text); found !== null; found = OPENING.exec(text)) {
    const end = endOf(text, found);
    out += text.slice(at, found.index) + text.slice(found.index, end).replace(/[^\n]/g, ' ');
    at = OPENING.lastIndex = end;
  }
  return out + text.slice(at);
}

/**
 * @param {string} text
 * @param {RegExpExecArray} opening
 * @returns {number} where what begins there has ended
 */
function endOf(text, { 0: opening, 1: hashes, index }) {
  const start = index + opening.length;
  const after = (/** @type {string} */ mark) => {
    const found = text.indexOf(mark, start);
    return found === -1 ? text.length : found + mark.length;
  };
  if (opening === '//') return after('\n') - 1;
  if (opening === '/*') {
    const marks = /\/\*|\*\//g;
    marks.lastIndex = start;
    for (let depth = 1, mark; (mark = marks.exec(text)) !== null;)
      if ((depth += mark[0] === '/*' ? 1 : -1) === 0) return marks.lastIndex;
    return text.length;
  }
  if (hashes !== undefined) return after('"' + hashes);
  if (opening !== '"') return start; // a character
  const strings = /\\[^]|"/g;
  strings.lastIndex = start;
  for (let found; (found = strings.exec(text)) !== null;) if (found[0] === '"') return strings.lastIndex;
  return text.length;
}

/**
 * @param {string} text as `code` returns it
 * @param {number} open where a bracket is
 * @returns {number} where its counterpart is
 */
function closing(text, open) {
  const brackets = /[([{]|[)\]}]/g;
  brackets.lastIndex = open;
  for (let depth = 0, found; (found = brackets.exec(text)) !== null;)
    if ((depth += '([{'.includes(found[0]) ? 1 : -1) === 0) return found.index;
  throw new Error(`A bracket is not closed: ${text.slice(open, open + 80)}`);
}

/**
 * @param {string} text of a file
 * @returns {{name: string, line: number, lines: number}[]} its functions, nested ones too; not those without a body
 */
function functions(text) {
  const plain = code(text);
  const lineOf = (/** @type {number} */ at) => plain.slice(0, at).split('\n').length;
  const found = [];
  for (const { 1: name, index } of plain.matchAll(/\bfn\s+(\w+)/g)) {
    const body = bodyOf(plain, index);
    if (body === -1) continue;
    const line = lineOf(index);
    found.push({ name, line, lines: lineOf(closing(plain, body)) - line + 1 });
  }
  return found;
}

/**
 * @param {string} plain
 * @param {number} at
 * @returns {number} where the brace is that opens the body of the function, or -1
 */
function bodyOf(plain, at) {
  const marks = /[([{;]/g;
  marks.lastIndex = at;
  for (let found; (found = marks.exec(plain)) !== null;) {
    if (found[0] === '{') return found.index;
    if (found[0] === ';') return -1;
    marks.lastIndex = closing(plain, found.index) + 1;
  }
  return -1;
}

/** A module is named by its path from the crate's root: `''`, `wire`, `wire::v2`. */
const parentOf = (/** @type {string} */ module) => module.split('::').slice(0, -1).join('::');
const join = (/** @type {string} */ module, /** @type {string} */ name) =>
  module === '' ? name : `${module}::${name}`;

/**
 * @typedef {{path: string[], name: string, shared: boolean}} Use a path, the name that it has here (`*` for all), and whether other modules see that
 * @typedef {{file: string, plain: string, children: Set<string>, uses: Use[]}} Module
 */

/**
 * The modules of a crate, without those that are for tests.
 * @param {string} rootFile
 * @param {(file: string) => string | undefined} read
 * @returns {Map<string, Module>}
 */
function modules(rootFile, read) {
  /** @type {Map<string, Module>} */
  const found = new Map();
  const visit = (/** @type {string} */ name, /** @type {string} */ file, /** @type {string} */ folder) => {
    const plain = withoutTests(code(read(file) ?? ''));
    const module = { file, plain, children: new Set(), uses: uses(plain) };
    found.set(name, module);
    for (const { 1: child } of plain.matchAll(/\bmod\s+(\w+)\s*;/g)) {
      const beside = path.posix.join(folder, `${child}.rs`);
      const inside = path.posix.join(folder, child, 'mod.rs');
      const where = [beside, inside].find((candidate) => read(candidate) !== undefined);
      if (where === undefined) throw new Error(`${file} declares the module ${child}, which has no file`);
      module.children.add(child);
      visit(join(name, child), where, path.posix.join(folder, child));
    }
  };
  visit('', rootFile, path.posix.dirname(rootFile));
  return found;
}

/** @param {string} plain */
function withoutTests(plain) {
  const attribute = /#\[cfg\((?:all\()?test\b[^\]]*\]\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+\w+\s*/;
  for (let found; (found = attribute.exec(plain)) !== null;) {
    const end = found.index + found[0].length;
    const until = plain[end] === '{' ? closing(plain, end) + 1 : end + 1;
    plain = plain.slice(0, found.index) + plain.slice(found.index, until).replace(/[^\n]/g, ' ') + plain.slice(until);
  }
  return plain;
}

/**
 * @param {string} plain
 * @returns {Use[]} what its `use` declarations name
 */
function uses(plain) {
  /** @type {Use[]} */
  const found = [];
  for (const { 1: visible, 2: tree } of plain.matchAll(/\b(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);/g))
    spread(tree.replace(/\s+/g, ' ').trim(), [], visible !== undefined, found);
  return found;
}

/**
 * @param {string} tree `a::{b, c as d}`
 * @param {string[]} before
 * @param {boolean} shared
 * @param {Use[]} found
 */
function spread(tree, before, shared, found) {
  const brace = tree.indexOf('{');
  if (brace === -1) {
    const [text, alias] = tree.split(' as ').map((part) => part.trim());
    const steps = [...before, ...text.split('::')].filter((step) => step !== '');
    const all = steps.at(-1) === 'self' ? steps.slice(0, -1) : steps;
    found.push({ path: all, name: alias ?? String(all.at(-1)), shared });
    return;
  }
  const head = tree
    .slice(0, brace)
    .split('::')
    .filter((step) => step !== '');
  const inside = tree.slice(brace + 1, closing(tree, brace));
  let depth = 0;
  let part = '';
  for (const char of inside + ',') {
    if (char === ',' && depth === 0) {
      if (part.trim() !== '') spread(part.trim(), [...before, ...head], shared, found);
      part = '';
      continue;
    }
    if (char === '{') depth++;
    if (char === '}') depth--;
    part += char;
  }
}

/**
 * Which file uses which: by `use`, and by paths from `crate`, `super`, `self` or a module's own modules. What a module only passes on (`pub use`) is used where it
 * is made, and passing it on is no use. Nor is saying who may see something (`pub(in …)`).
 * @param {Map<string, Module>} all
 * @returns {Map<string, Set<string>>} files by file
 */
function graph(all) {
  /** @type {Map<string, Set<string>>} */
  const edges = new Map();
  for (const [name, module] of all) {
    const used = new Set();
    edges.set(module.file, used);
    const own = module.uses.filter(({ shared }) => !shared).map((use) => use.path);
    const firsts = ['crate', 'super', 'self', ...module.children].join('|');
    const inline = module.plain
      .replace(/\buse\s[^;]*;|\bpub\s*\([^)]*\)/g, '')
      .match(new RegExp(`(?<!::\\s*)\\b(?:${firsts})(?:\\s*::\\s*\\w+)+`, 'g'))
      ?.map((text) => text.split(/\s*::\s*/));
    for (const steps of [...own, ...(inline ?? [])]) {
      const target = resolve(all, name, steps);
      if (target !== undefined && target !== name) used.add(/** @type {Module} */ (all.get(target)).file);
    }
  }
  return edges;
}

/**
 * @param {Map<string, Module>} all
 * @param {string} from
 * @param {string[]} steps
 * @param {Set<string>} [seen]
 * @returns {string | undefined} the module in which that is made; undefined when it is in another crate
 */
function resolve(all, from, steps, seen = new Set()) {
  const key = `${from} ${steps.join('::')}`;
  if (seen.has(key)) return undefined;
  seen.add(key);
  let at = from;
  let next = 0;
  if (steps[0] === 'crate') [at, next] = ['', 1];
  else {
    while (steps[next] === 'self') next++;
    while (steps[next] === 'super') [at, next] = [parentOf(at), next + 1];
  }
  const relative = next === 0;
  if (relative && !all.get(at)?.children.has(steps[0])) return undefined;
  while (next < steps.length && all.get(at)?.children.has(steps[next])) at = join(at, steps[next++]);
  const item = steps[next];
  if (item === undefined || item === '*') return at;
  const module = /** @type {Module} */ (all.get(at));
  const within = at === '' || from === at || from.startsWith(`${at}::`);
  for (const { path: passed, name, shared } of module.uses)
    if (name === item && (shared || within)) return resolve(all, at, [...passed, ...steps.slice(next + 1)], seen);
  for (const { path: passed, name, shared } of module.uses) {
    if (name !== '*' || !shared) continue;
    const target = resolve(all, at, passed.slice(0, -1), seen);
    if (target !== undefined && makes(/** @type {Module} */ (all.get(target)).plain, item)) return target;
  }
  return at;
}

/**
 * @param {string} plain
 * @param {string} item
 */
function makes(plain, item) {
  return new RegExp(`\\b(?:fn|struct|enum|trait|type|const|static|union)\\s+${item}\\b`).test(plain);
}

module.exports = { code, functions, graph, modules };
