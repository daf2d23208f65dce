'use strict';
// The checker finds what is wrong with jobs, requests, drains and watches, each planted in logs that are fine without it.

const test = require('node:test');
const assert = require('node:assert');
const { check } = require('./checker.js');

/**
 * Logs of a publisher, of two members of the group (the second one enters late) and of one that has drained. Times are in ms: a job may
 * take 20,000.
 */
function fine() {
  const lines = {
    'a.1': [
      [1, 'id', 'A1', 'ws://a', 'ws://a'],
      [2, 'M', 'join', 'B1'],
      [2, 'M', 'join', 'C1'],
      [3, 'H', 'b.1', 'news', 0],
      [3, 'H', 'c.1', 'news', 0],
      [10, 'J', 0],
      [11, 'J', 1],
      [50, 'Q', 0, 'a/a', 'b/b'],
      [53, 'K', 0, 'b.1', true],
      [60, 'Q', 1, 'a/a', 'b/b'],
      [61, 'X', 1, 'ERR_OVERLOADED'],
      [70, 'Q', 2, 'a/a', 'c/b'],
      [73, 'X', 2, 'ERR_HANDLER'],
      [80, 'M', 'leave', 'C1'],
      [100, 'J', 2],
      [101, 'J', 3],
      [102, 'V', 2, 3, ['b.1']],
      [200, 'J', 4],
      [201, 'D', 'ws://b', 'jobs', 1],
      [90000, 'end']
    ],
    'b.1': [
      [1, 'id', 'B1', 'ws://b', 'ws://b'],
      [2, 'P', 'news', 0],
      [2.5, 'H', 'b.1', 'news', 0],
      [2, 'M', 'join', 'A1'],
      [5, '+'],
      [12, 'C', 'a.1', 0],
      [51, 'N', 'a.1', 'a/a', 'b/b', 0],
      [103, 'C', 'a.1', 2],
      [104, 'C', 'a.1', 3],
      [90000, 'end']
    ],
    'c.1': [
      [1, 'id', 'C1', 'ws://c', 'ws://c'],
      [2, 'P', 'news', 0],
      [2.5, 'H', 'c.1', 'news', 0],
      [2, 'M', 'join', 'A1'],
      [6, '+'],
      [13, 'C', 'a.1', 1],
      [71, 'N', 'a.1', 'a/a', 'c/b', 2],
      [74, 'drain'],
      [75, 'S', 0, 'c/a', 'a/a', 0],
      [76, 'F', 0, 'ERR_HOST_DRAINING'],
      [79, 'drained'],
      [81, 'end']
    ]
  };
  return Object.entries(lines).map(([name, lines]) => {
    const [host, life] = name.split('.');
    return { name, host, life: Number(life), killed: false, last: name !== 'c.1', lines };
  });
}

/**
 * Index of the first line that begins like this, after its time.
 * @param {any[][]} lines
 * @param {any[]} start
 */
function find(lines, start) {
  const index = lines.findIndex(([, ...line]) => start.every((field, i) => line[i] === field));
  assert.notStrictEqual(index, -1);
  return index;
}
const remove =
  (/** @type {any[]} */ ...start) =>
  (/** @type {any[][]} */ lines) => {
    lines.splice(find(lines, start), 1);
  };
const add =
  (/** @type {any[]} */ ...line) =>
  (/** @type {any[][]} */ lines) => {
    lines.push(line);
  };
const set =
  (/** @type {any[]} */ start, /** @type {(line: any[]) => void} */ change) => (/** @type {any[][]} */ lines) =>
    change(lines[find(lines, start)]);

test('logs of jobs, requests and a drain as promised', () => {
  const { violations, counts } = check(fine());
  assert.deepStrictEqual(violations, []);
  const { asked, answered, jobs, done, dropped, unowed } = counts;
  assert.deepStrictEqual(
    { asked, answered, jobs, done, dropped, unowed },
    { asked: 3, answered: 1, jobs: 5, done: 4, dropped: 1, unowed: 0 }
  );
});

for (const [
  what,
  name,
  change,
  ...expected
] of /** @type {[string, string, (lines: any[][]) => void, ...RegExp[]][]} */ ([
  ['a job that vanished', 'b.1', remove('C', 'a.1', 0), /a\.1: job 4 vanished, although b\.1 was a member/],
  [
    'a job that was dropped and not reported',
    'a.1',
    remove('D', 'ws://b', 'jobs'),
    /a\.1: job 4 vanished, although b\.1 was a member/
  ],
  ['a job done twice by one process', 'b.1', add(50, 'C', 'a.1', 0), /a\.1: job 0 was done twice by b\.1/],
  [
    'a job done by two processes that were not lost',
    'c.1',
    add(80.5, 'C', 'a.1', 3),
    /a\.1: job 3 was done by b\.1 and c\.1, neither of which was lost/
  ],
  [
    'a job that was never published',
    'b.1',
    add(50, 'C', 'a.1', 17),
    /a\.1: job 17 was done by b\.1 but never published/
  ],
  [
    'a member that gets no jobs',
    'a.1',
    set(['V', 2, 3], (line) => {
      line[4] = ['b.1', 'd.1'];
    }),
    /a\.1: d\.1 got none of the jobs 2 to 3/
  ],
  ['a request that never ended', 'a.1', remove('K', 0), /a\.1: request 0 to b\/b never ended/],
  ['a request that ended twice', 'a.1', add(90, 'X', 0, 'ERR_REQUEST_TIMEOUT'), /request 0 to b\/b ended twice/],
  ['a request that was never made', 'a.1', add(90, 'K', 9, 'b.1', true), /request 9 ended but was never made/],
  [
    'a request handled twice',
    'b.1',
    add(90, 'N', 'a.1', 'a/a', 'b/b', 0),
    /a\.1: request 0 was handled again, by b\.1/
  ],
  [
    'a request handled elsewhere',
    'b.1',
    set(['N', 'a.1'], (line) => {
      line[4] = 'c/b';
    }),
    /request 0 to c\/b was handled by b\.1/
  ],
  ['a reply of nobody', 'b.1', remove('N', 'a.1'), /request 0 to b\/b was answered by b\.1, but handled by nobody/],
  [
    'a reply to another request',
    'a.1',
    set(['K', 0], (line) => {
      line[4] = false;
    }),
    /request 0 to b\/b was answered by b\.1, but handled by b\.1/
  ],
  [
    'a definite failure that was handled',
    'b.1',
    add(60.5, 'N', 'a.1', 'a/a', 'b/b', 1),
    /request 1 to b\/b failed with ERR_OVERLOADED but was handled by b\.1/
  ],
  [
    'a handler that threw without being called',
    'c.1',
    remove('N', 'a.1'),
    /request 2 to c\/b failed with ERR_HANDLER but was never handled/
  ],
  [
    'an unexpected code',
    'a.1',
    set(['X', 1], (line) => {
      line[3] = 'EPIPE';
    }),
    /request 1 to b\/b failed with the unexpected code EPIPE/
  ],
  [
    'a request that a drained host did not answer',
    'a.1',
    set(['X', 2], (line) => {
      line[3] = 'ERR_DELIVERY_UNKNOWN';
    }),
    /request 2 to c\/b was not answered by c\.1, which has drained/
  ],
  [
    'a send that settled after the drain',
    'c.1',
    (lines) => {
      lines.push(...lines.splice(find(lines, ['F', 0]), 1));
    },
    /c\.1: send 0 settled after the drain/
  ],
  [
    'a watch that tells nonsense',
    'b.1',
    add(50, 'Z', 'leave', 'a/t'),
    /b\.1: a watch told a leave of a\/t that makes no sense/
  ]
])) {
  test(`found: ${what}`, () => {
    const processes = fine();
    change(/** @type {any} */ (processes.find((process) => process.name === name)).lines);
    const { violations } = check(processes);
    assert.strictEqual(violations.length, expected.length, violations.join('\n'));
    expected.forEach((pattern, i) => assert.match(violations[i], pattern));
  });
}

test('allowed: a job that vanished before the publisher had got anything from the member', () => {
  const processes = fine();
  remove('H', 'b.1', 'news', 0)(processes[0].lines);
  remove('H', 'c.1', 'news', 0)(processes[0].lines);
  for (const { lines } of processes.slice(1))
    lines.splice(0, lines.length, ...lines.filter(([, kind, , n]) => kind !== 'C' || n !== 0));
  assert.deepStrictEqual(
    check(processes).violations.filter((text) => /vanished/.test(text)),
    []
  );
});

test('allowed: a job done by two processes, the first of which was lost', () => {
  const processes = fine();
  processes[0].lines.push([60, 'M', 'disconnect', 'B1'], [61, 'M', 'leave', 'B1']);
  processes[2].lines.push([70, 'C', 'a.1', 0]);
  assert.deepStrictEqual(
    check(processes).violations.filter((text) => /job 0/.test(text)),
    []
  );
});

test('allowed: a job done by two processes, of which the one that was lost does it last', () => {
  const processes = fine();
  processes[0].lines.push([60, 'M', 'disconnect', 'C1']);
  processes[2].lines.push([70, 'C', 'a.1', 0]);
  assert.deepStrictEqual(
    check(processes).violations.filter((text) => /job 0/.test(text)),
    []
  );
});

test('a job done twice by a process: allowed if the publisher had seen it leave, not if it had only lost the connection', () => {
  const seen = (/** @type {string[]} */ ...changes) => {
    const processes = fine();
    processes[0].lines.push(...changes.map((change, index) => [60 + index, 'M', change, 'B1']));
    processes[1].lines.push([70, 'C', 'a.1', 0]);
    return check(processes).violations.filter((text) => /job 0/.test(text));
  };
  assert.deepStrictEqual(seen('disconnect', 'leave', 'join'), []);
  assert.deepStrictEqual(seen('disconnect', 'reconnect'), ['a.1: job 0 was done twice by b.1']);
});

test('allowed: a job that nobody does after the only member, which had said twice that it is one, has left', () => {
  const vanished = (/** @type {any[]} */ ...entered) => {
    const [publisher, member, ...others] = fine();
    publisher.lines = publisher.lines.filter(([, kind]) => kind !== 'D');
    member.lines = [...member.lines, ...entered].sort(([a], [b]) => a - b);
    return check([publisher, member, ...others]).violations.filter((text) => /job 4 vanished/.test(text));
  };
  assert.strictEqual(vanished([5.5, '+']).length, 1);
  assert.deepStrictEqual(vanished([150, '-']), []);
  assert.deepStrictEqual(vanished([5.5, '+'], [150, '-']), []);
});
