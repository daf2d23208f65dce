'use strict';
// The checker finds every kind of violation, each planted in logs that are fine without it.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { check } = require('./checker.js');
const { Log, read } = require('./log.js');

/**
 * Logs of two hosts that know each other, the second one with two lives, the first of which was killed.
 * One send resolves, one is definitely refused, one is unknown and was received, one is unknown and was not. All publishes are heard.
 */
function fine() {
  const lines = {
    'a.1': [
      [1, 'id', 'A1', 'ws://a'],
      [2, 'M', 'join', 'B1'],
      [3, 'S', 0, 'a/x', 'b/x', 0],
      [5, 'O', 0],
      [6, 'S', 1, 'a/x', 'b/x', 1],
      [7, 'F', 1, 'ERR_PEER_UNREACHABLE'],
      [10, 'P', 'news', 0],
      [10.5, 'H', 'a.1', 'news', 0],
      [11, 'P', 'news', 1],
      [11.5, 'H', 'a.1', 'news', 1],
      [12, 'S', 2, 'a/x', 'b/x', 2],
      [20, 'F', 2, 'ERR_DELIVERY_UNKNOWN'],
      [13, 'S', 3, 'a/x', 'b/x', 3],
      [20, 'F', 3, 'ERR_REQUEST_TIMEOUT'],
      [21, 'M', 'leave', 'B1'],
      [22, 'P', 'news', 2],
      [22.5, 'H', 'a.1', 'news', 2],
      [30, 'M', 'join', 'B2'],
      [31, 'P', 'news', 3],
      [31.5, 'H', 'a.1', 'news', 3],
      [32, 'M', 'disconnect', 'B2'],
      [33, 'P', 'news', 4],
      [33.5, 'H', 'a.1', 'news', 4],
      [34, 'M', 'reconnect', 'B2'],
      [35, 'S', 4, 'a/x', 'b/x', 4],
      [37, 'O', 4],
      [40, 'P', 'news', 5],
      [40.5, 'H', 'a.1', 'news', 5],
      [90, 'end']
    ],
    'b.1': [
      [1, 'id', 'B1', 'ws://b'],
      [2, 'M', 'join', 'A1'],
      [4, 'R', 'a.1', 'a/x', 'b/x', 0],
      [10.7, 'H', 'a.1', 'news', 0],
      [11.7, 'H', 'a.1', 'news', 1],
      [12.5, 'R', 'a.1', 'a/x', 'b/x', 2],
      [13, 'S', 0, 'b/x', 'a/x', 0]
    ],
    'b.2': [
      [25, 'id', 'B2', 'ws://b'],
      [29, 'M', 'join', 'A1'],
      [31.7, 'H', 'a.1', 'news', 3],
      [34.5, 'H', 'a.1', 'news', 4],
      [36, 'R', 'a.1', 'a/x', 'b/x', 4],
      [41, 'H', 'a.1', 'news', 5],
      [90, 'end']
    ]
  };
  return Object.entries(lines).map(([name, lines]) => {
    const [host, life] = name.split('.');
    return { name, host, life: Number(life), killed: name === 'b.1', last: name !== 'b.1', lines };
  });
}

/**
 * The fine logs with one thing changed.
 * @param {string} name of the process
 * @param {(lines: any[][], process: any) => void} change
 */
function changed(name, change) {
  const processes = fine();
  const process = processes.find((p) => p.name === name);
  change(process.lines, process);
  return check(processes).violations;
}

/** Index of the first line that begins like this, after its time. */
function find(lines, ...start) {
  const index = lines.findIndex(([, ...line]) => start.every((field, i) => line[i] === field));
  assert.notStrictEqual(index, -1);
  return index;
}
const remove =
  (...start) =>
  (lines) => {
    lines.splice(find(lines, ...start), 1);
  };
const set = (start, change) => (lines) => change(lines[find(lines, ...start)]);
const add =
  (...line) =>
  (lines) => {
    lines.push(line);
  };
const insert =
  (line, ...before) =>
  (lines) => {
    lines.splice(find(lines, ...before), 0, line);
  };
const swap = (one, two) => (lines) => {
  const [i, j] = [find(lines, ...one), find(lines, ...two)];
  [lines[i], lines[j]] = [lines[j], lines[i]];
};

test('logs of a run in which all was as promised', () => {
  const { violations, counts, codes } = check(fine());
  assert.deepStrictEqual(violations, []);
  assert.deepStrictEqual(counts, {
    sent: 6,
    resolved: 2,
    definite: 1,
    unknown: 2,
    unsettled: 1,
    received: 3,
    published: 6,
    heard: 11,
    excused: 0,
    asked: 0,
    answered: 0,
    jobs: 0,
    done: 0,
    dropped: 0,
    unowed: 0
  });
  assert.deepStrictEqual(codes, { ERR_PEER_UNREACHABLE: 1, ERR_DELIVERY_UNKNOWN: 1, ERR_REQUEST_TIMEOUT: 1 });
});

for (const [what, name, change, ...expected] of /** @type {[string, string, any, ...RegExp[]][]} */ ([
  [
    'a message that was never sent',
    'b.1',
    add(50, 'R', 'a.1', 'a/x', 'b/x', 9),
    /#9 was received by b\.1 but never sent/
  ],
  ['a message of a process that never was', 'b.1', add(50, 'R', 'c.1', 'c/x', 'b/x', 0), /c\.1: .* never sent/],
  [
    'a message received twice',
    'b.1',
    add(50, 'R', 'a.1', 'a/x', 'b/x', 2),
    /#2 was received 2 times, the last time by b\.1/
  ],
  [
    'a message received by two incarnations',
    'b.2',
    add(50, 'R', 'a.1', 'a/x', 'b/x', 2),
    /#2 was received 2 times, the last time by b\.2/
  ],
  [
    'messages in the wrong order',
    'b.1',
    swap(['R', 'a.1', 'a/x', 'b/x', 0], ['R', 'a.1', 'a/x', 'b/x', 2]),
    /#0 was received by b\.1 after #2/
  ],
  [
    'a message out of order at the next incarnation',
    'b.2',
    add(50, 'R', 'a.1', 'a/x', 'b/x', 3),
    /#3 was received by b\.2 after #4/
  ],
  ['resolved, but never received', 'b.1', remove('R', 'a.1', 'a/x', 'b/x', 0), /#0 resolved but was never received/],
  [
    'resolved too early',
    'b.1',
    set(['R', 'a.1', 'a/x', 'b/x', 0], (line) => {
      line[0] = 5.5;
    }),
    /#0 resolved 0\.5 ms before it was received/
  ],
  [
    'a definite failure that was received',
    'b.1',
    insert([12, 'R', 'a.1', 'a/x', 'b/x', 1], 'R', 'a.1', 'a/x', 'b/x', 2),
    /#1 was rejected with ERR_PEER_UNREACHABLE but received/
  ],
  [
    'an unexpected code',
    'a.1',
    set(['F', 2], (line) => {
      line[3] = 'EPIPE';
    }),
    /#2 was rejected with the unexpected code EPIPE/
  ],
  ['a send that never settled', 'a.1', remove('O', 4), /#4 never settled/],
  ['a send that settled twice', 'a.1', add(50, 'F', 4, 'ERR_REQUEST_TIMEOUT'), /#4 settled twice/],
  ['a send that settled but was never sent', 'a.1', add(50, 'O', 7), /send 7 settled but was never sent/],
  ['a process that ended by itself', 'a.1', remove('end'), /a\.1 has not ended as it was told to/],
  ['a publish that never was', 'b.2', add(50, 'H', 'a.1', 'news', 17), /#17 was heard by b\.2 but never published/],
  ['a publish heard twice', 'b.2', add(50, 'H', 'a.1', 'news', 4), /#4 was heard by b\.2 twice/],
  [
    'publishes in the wrong order',
    'b.1',
    swap(['H', 'a.1', 'news', 0], ['H', 'a.1', 'news', 1]),
    /#0 was heard by b\.1 after #1/,
    /#0 was not heard/
  ],
  ['a gap', 'b.1', remove('H', 'a.1', 'news', 0), /#0 was not heard by b\.1, but #1 was/],
  [
    'a gap where the connection was lost for a moment',
    'b.2',
    remove('H', 'a.1', 'news', 4),
    /#4 was not heard by b\.2, but #5 was/
  ],
  [
    'the first publish after something got through',
    'b.2',
    (lines) => {
      remove('H', 'a.1', 'news', 3)(lines);
      insert([30.5, 'H', 'a.1', 'sport', 0], 'H', 'a.1', 'news', 4)(lines);
    },
    /sport #0 was heard by b\.2 but never published/,
    /#3 was not heard by b\.2, but #4 was/
  ],
  ['the last publish', 'b.2', remove('H', 'a.1', 'news', 5), /#5 was not heard by b\.2, but should have been/],
  ['a publish that its own process does not hear', 'a.1', remove('H', 'a.1', 'news', 2), /#2 was not heard by a\.1/]
])) {
  test(`found: ${what}`, () => {
    const violations = changed(name, change);
    assert.strictEqual(violations.length, expected.length, violations.join('\n'));
    expected.forEach((pattern, i) => assert.match(violations[i], pattern));
  });
}

test("found: a message at another host than its receiver's", () => {
  const processes = fine();
  const [one, , two] = processes;
  one.lines.push([50, 'S', 5, 'a/x', 'c/x', 0], [52, 'O', 5]);
  two.lines.push([51, 'R', 'a.1', 'a/x', 'c/x', 0]);
  assert.deepStrictEqual(check(processes).violations, ['a.1: a/x → c/x #0 was received by b.2']);
});

test('allowed: what is published after a join, before anything got through', () => {
  assert.deepStrictEqual(changed('b.2', remove('H', 'a.1', 'news', 3)), []);
});

test('allowed: a gap of a process that was killed', () => {
  assert.deepStrictEqual(changed('b.1', remove('H', 'a.1', 'news', 1)), []);
});

for (const [who, name, id] of [
  ['publisher', 'a.1', 'B2'],
  ['subscriber', 'b.2', 'A1']
]) {
  /** One of them gives the other up for a moment, and #4 is not heard. */
  const interrupted = (told) => {
    const processes = fine();
    const one = processes.find((p) => p.name === name).lines;
    const moment = name === 'a.1' ? ['P', 'news', 4] : ['H', 'a.1', 'news', 4];
    insert([32.5, 'M', 'leave', id], ...moment)(one);
    insert([33.7, 'M', 'join', id], ...moment)(one);
    const subscriber = processes[2].lines;
    if (told) insert([34, 'G', 'ws://a', null], 'H', 'a.1', 'news', 4)(subscriber);
    remove('H', 'a.1', 'news', 4)(subscriber);
    return check(processes);
  };

  test(`allowed: a gap where the ${who} gave the other up, and that is told`, () => {
    const { violations, counts } = interrupted(true);
    assert.deepStrictEqual(violations, []);
    assert.strictEqual(counts.excused, 1);
  });

  test(`found: a gap where the ${who} gave the other up that is not told`, () => {
    assert.deepStrictEqual(interrupted(false).violations, [
      'a.1 on news #4 to #4 were not heard by b.2, which was not told of a gap'
    ]);
  });
}

test('a log is read as it was written, without a torn last line', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distribus-log-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'log');
  const log = new Log(file);
  log.write('S', 0, 'a', 'b', 0);
  log.write('end');
  fs.appendFileSync(file, '[12,"R"');
  const [[first, ...one], [second, ...two], ...more] = read(file);
  assert.ok(first <= second);
  assert.deepStrictEqual([one, two, more], [['S', 0, 'a', 'b', 0], ['end'], []]);
});
