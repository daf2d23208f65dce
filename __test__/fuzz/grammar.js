'use strict';
// What a member of the fuzzer says: from a seed, a list of steps, most of them as the protocol wants them, some nearly so. Steps are plain
// JSON, so that a list of them can be kept and played again.

const { KIND, FORM } = require('../bounds/member.js');

/**
 * @typedef {{ do: string, who: number, [more: string]: any }} Step
 */

/** A small generator with a seed: xorshift of 32 bits. @param {number} seed */
function random(seed) {
  let state = (seed * 2654435761 + 0x9e3779b9) >>> 0 || 1;
  const below = (/** @type {number} */ most) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % most;
  };
  return {
    below,
    one: (/** @type {any[]} */ list) => list[below(list.length)],
    chance: (/** @type {number} */ percent) => below(100) < percent
  };
}

/** Ids of peers and channels. What is large is written as what is repeated, and how often. */
const NAMES = [
  'here',
  'slow',
  'never',
  'nobody',
  'peer 1',
  'news',
  'news.a',
  'silence',
  '',
  '*',
  '**',
  'a.**.b',
  'x*y*z',
  'a..b',
  '.',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\ud800',
  'é',
  7,
  -0.5,
  null,
  true,
  [1],
  { a: 1 },
  { repeat: 'n', count: 65_536 },
  { repeat: 'n', count: 70_000 },
  { repeat: 'a*', count: 5000 },
  { repeat: '**.', count: 5000 },
  { repeat: '[', count: 20_000 },
  { raw: '{"a":' },
  { raw: '"' },
  { raw: '1e999' }
];
/** Names that are refused. */
const LONG = [
  { repeat: 'n', count: 70_000 },
  { repeat: '"', count: 40_000 },
  { repeat: 'n', count: 3_000_000 }
];
const NUMBERS = [
  0,
  1,
  2,
  3,
  255,
  256,
  65_535,
  1 << 20,
  (1 << 20) + 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
  2 ** 64 - 1
];
const URLS = [
  'ws://127.0.0.1:1',
  'ws://127.0.0.1:9/path',
  'ws://localhost:2',
  'ws://[::1]:3',
  'wss://127.0.0.1:4',
  'http://127.0.0.1:5',
  'ws://user:pw@127.0.0.1:6',
  'ws://',
  'ws:// :1',
  '',
  'x',
  'ws://169.254.169.254/latest',
  'ws://0.0.0.0:7',
  { repeat: 'ws://', count: 30_000 },
  { self: true },
  7,
  null
];
const LETTERS = ['b', 'l', 'a', 'p', 'w', 'u', 'c', 'g', 'm', 'z', ''];
const RECORDS = Object.values(KIND);
const METHODS = [
  'greeting',
  'join',
  'goodbye',
  'hosts',
  'members',
  'find',
  'list',
  'send',
  'publish',
  'ping',
  'nothing',
  null,
  7
];

/** @param {ReturnType<typeof random>} r */
function value(r) {
  return r.one([
    null,
    0,
    'text',
    true,
    [],
    {},
    [[[1]]],
    { repeat: 'v', count: 1000 },
    { repeat: 'v', count: 2_000_000 },
    ...NAMES.slice(0, 8)
  ]);
}

/** @param {ReturnType<typeof random>} r */
function messages(r) {
  const form = r.chance(98) ? r.one(Object.values(FORM)) : r.below(256);
  const count = r.chance(96) ? 1 + r.below(5) : r.one(NUMBERS);
  return {
    form,
    count,
    values: Array.from({ length: r.chance(97) ? Math.min(count, 5) : r.below(8) }, () => value(r))
  };
}

/** The head of a note, and its arguments. @param {ReturnType<typeof random>} r */
function head(r) {
  const letter = r.one(LETTERS);
  const argument = () => r.one([r.below(20), r.one(NAMES), r.one(NUMBERS), true, null]);
  const usual = /** @type {Record<string, () => any[]>} */ ({
    b: () => [r.below(1000), r.one(NAMES), r.chance(50), r.one(NAMES)],
    l: () => [r.below(1000), r.one(NAMES)],
    w: () => [r.below(50), r.one(NAMES)],
    u: () => [r.below(50)],
    c: () => [r.below(50)],
    g: () => [],
    m: () => [r.one(['jobs', ...NAMES]), r.one(['workers', ...NAMES])]
  });
  const args = r.chance(85) && usual[letter] ? usual[letter]() : Array.from({ length: r.below(5) }, argument);
  if (letter === 'a' || letter === 'p') return { letter, text: String(r.below(1000)) };
  return { letter, args };
}

/** What a note carries. @param {ReturnType<typeof random>} r @param {string} letter */
function noted(r, letter) {
  if (letter === 'g' && r.chance(80)) {
    const row = () => [r.one(NAMES), r.chance(50), r.one(['workers', ...NAMES]), r.one([0, 1, 2, -1, 1e9, 'x', null])];
    return [r.chance(50), Array.from({ length: r.below(6) }, row), r.chance(30)];
  }
  if (letter === 'c' && r.chance(80)) return Array.from({ length: r.below(6) }, () => [r.below(3), r.one(NAMES)]);
  return value(r);
}

/** @param {ReturnType<typeof random>} r */
function record(r) {
  const kind = r.chance(97) ? r.one(RECORDS) : r.below(256);
  const number = () => (r.chance(80) ? r.below(2000) : r.one(NUMBERS));
  const step = {
    kind,
    to: r.chance(99) ? r.one(NAMES) : r.one(LONG),
    from: r.one(NAMES),
    number: number(),
    upto: r.chance(90) ? 0 : number(),
    exceptions: r.chance(10),
    count: number(),
    flags: r.chance(97) ? r.below(3) : r.below(256)
  };
  const more = {
    head: head(r),
    names: Array.from({ length: r.below(6) }, () => [r.one(NAMES), r.below(4)]),
    hashes: r.below(200),
    messages: messages(r),
    /** A number that is not its turn. */
    wrong: r.chance(1) ? r.one(NUMBERS) : undefined,
    /** Cuts the body, or lengthens it. */
    cut: r.chance(1) ? r.below(20) - 10 : undefined,
    /** Changes a byte. */
    flip: r.chance(1) ? [r.below(64), r.below(256)] : undefined
  };
  return { ...step, ...more, noted: noted(r, more.head.letter) };
}

/** @param {ReturnType<typeof random>} r */
function hello(r) {
  const odd = (/** @type {any} */ usual, /** @type {any[]} */ others) =>
    r.chance(93) ? usual : r.one([...others, null, 'x', [], {}]);
  return {
    number: odd(1 + r.below(100), NUMBERS),
    replace: r.chance(10) ? true : undefined,
    versions: odd([2], [[], [1], [2, 3], [1e9]]),
    features: odd(['interest', 'directory', 'relay'], [[], ['x'], Array.from({ length: 1000 }, (_, n) => `f${n}`)]),
    limits: r.chance(20) ? { payload: r.one(NUMBERS), id: r.one(NUMBERS) } : undefined,
    members: r.chance(30) ? true : undefined,
    relayed: r.chance(20) ? r.one(['0:0000000000000000', '1:x', { repeat: '0', count: 100_000 }]) : undefined,
    quiet: r.chance(50) ? true : undefined,
    window: odd(8 << 20, NUMBERS)
  };
}

/** @param {ReturnType<typeof random>} r */
function params(r) {
  const member = () => ({
    url: r.one(URLS),
    id: r.chance(50) ? r.below(50).toString(16).padStart(32, 'a') : r.one(NAMES)
  });
  const list = Array.from({ length: r.below(r.chance(90) ? 5 : 3000) }, member);
  return r.one([
    {
      url: r.one(URLS),
      id: r.one(NAMES),
      from: r.one(NAMES),
      to: r.one(NAMES),
      channel: r.one(NAMES),
      message: value(r)
    },
    { members: list, all: r.chance(50), digest: r.one(['1:0000000000000000', 'x', 7]) },
    { urls: list.map((m) => m.url) },
    { host: { id: r.one([{ self: true }, r.one(NAMES)]), direct: r.chance(30) } },
    value(r)
  ]);
}

/** One step. @param {ReturnType<typeof random>} r @param {number} count of members @returns {Step} */
function step(r, count) {
  const who = r.below(count);
  const what = r.below(100);
  if (what < 60)
    return { do: 'records', who, records: Array.from({ length: 1 + r.below(r.chance(90) ? 4 : 40) }, () => record(r)) };
  if (what < 78) return { do: r.chance(60) ? 'ask' : 'tell', who, method: r.one(METHODS), params: params(r) };
  if (what < 84) {
    const inner = r.chance(50) ? { text: { method: r.one(METHODS), params: params(r) } } : { records: [record(r)] };
    return {
      do: 'relay',
      who,
      to: r.below(count + 1),
      number: r.chance(80) ? r.below(6) : r.one(NUMBERS),
      kind: r.below(r.chance(90) ? 8 : 256),
      ...inner
    };
  }
  if (what < 86)
    return { do: 'answer', who, id: r.one([1, 2, 3, 'x', null]), message: value(r), error: r.one([null, 'text', 7]) };
  if (what < 88)
    return { do: 'raw', who, text: r.chance(50), bytes: Array.from({ length: r.below(60) }, () => r.below(256)) };
  if (what < 91) return { do: 'ping', who, length: r.below(200) };
  if (what < 93) return { do: r.one(['pause', 'resume']), who };
  if (what < 96) return { do: 'end', who };
  return { do: 'connect', who, hello: hello(r), url: r.chance(30) ? r.one(URLS) : undefined, again: r.chance(30) };
}

/** @param {number} seed @param {number} length @returns {Step[]} */
function steps(seed, length) {
  const r = random(seed);
  const count = 1 + r.below(4);
  const first = Array.from({ length: count }, (_, who) => ({
    do: 'connect',
    who,
    hello: { number: 1, versions: [2], window: 8 << 20, features: ['interest', 'directory', 'relay'] }
  }));
  return [...first, ...Array.from({ length }, () => step(r, count))];
}

module.exports = { steps };
