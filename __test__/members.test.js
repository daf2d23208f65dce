'use strict';
// What the members of groups that other hosts announce cost a host: little memory, and little time where something is published.

const test = require('node:test');
const assert = require('node:assert');
const heard = require('./bounds/heard.js');
const { Member, frame, texts } = require('./bounds/member.js');
const { listening, ours, pair, until } = require('./support.js');
const { serve, start } = require('./other_process.js');

const options = { timeout: 120_000 };

/** The host that publishes has a process of its own, so that its memory and its time are its own. */
async function publisher() {
  const host = new ours.Host({ reconnectTimeout: 500 });
  const errors = /** @type {string[]} */ ([]);
  host.on('error', (err) => errors.push(err.code));
  /** @type {Record<string, () => any>} */
  const acts = {
    errors: () => errors,
    memory: () => {
      global.gc?.();
      return process.memoryUsage().heapUsed / (1 << 20);
    },
    /** How long one takes, in µs of processor time. */
    publish: () => {
      const { user } = process.cpuUsage();
      for (let n = 0; n < 20; n++) host.publish('orders.new', n);
      return (process.cpuUsage().user - user) / 20;
    }
  };
  await serve(host, acts);
}

const COUNT = 200_000;

/** Rows that are much work, each in its way. @type {Record<string, (n: number) => any[]>} */
const KINDS = {
  'of channels': (n) => [`channel ${n}`, false, 'group', 1],
  'of patterns': (n) => [`channel ${n}.*`, true, 'group', 1],
  'of patterns with many wildcards': (n) => [`*o*d*e*r*s*${n}*.*`, true, 'group', 1],
  'of groups by one pattern': (n) => ['**', true, `group ${n}`, 1],
  'of groups on one channel': (n) => ['orders.new', false, `group ${n}`, 1]
};

if (process.argv[2] === 'publisher') void publisher();
else tests();

function tests() {
  for (const [kind, row] of Object.entries(KINDS)) {
    test(
      `${COUNT} members ${kind} on another host cost little memory, and little time where something is published`,
      options,
      async (t) => {
        const { url, ask } = await start(t, __filename, 'publisher');
        const before = await ask('memory');
        const member = await Member.join(url);
        t.after(() => member.end());
        const said = heard(member);
        for (let n = 0; n < COUNT; n += 1000) {
          const rows = Array.from({ length: 1000 }, (_, k) => row(n + k));
          await member.write(frame(member.note('g[]', texts([n === 0, rows, n + 1000 < COUNT]))));
        }
        await until(() => said.acknowledged >= COUNT / 1000);
        assert.ok(said.exceptions > 0, 'what is beyond the bound is refused');
        await ask('publish');
        const published = Math.min(await ask('publish'), await ask('publish'), await ask('publish'));
        const held = (await ask('memory')) - before;
        t.diagnostic(`publish ${published.toFixed(0)} µs; ${held.toFixed(0)} MiB`);
        assert.ok(published < 1000, `${published} µs`);
        assert.ok(held < 40, `${held} MiB`);
        assert.ok((await ask('errors')).includes('ERR_TOO_MANY_MEMBERS'));
        member.end();
        let left;
        do left = (await ask('memory')) - before;
        while (left > 5);
      }
    );
  }

  test(
    'a host that has announced too much to look at where something is published is told, and others get their jobs',
    options,
    async (t) => {
      const { a, b } = await pair(t);
      const member = await Member.join(a.url);
      t.after(() => member.end());
      const said = heard(member);
      const rows = Array.from({ length: 1000 }, (_, n) => ['jobs', false, `group ${n}`, 1]);
      await member.write(frame(member.note('g[]', texts([true, rows]))));
      await until(() => said.acknowledged >= 1);
      const errors = [];
      a.on('error', (err) => errors.push(err.code));
      const got = [];
      b.subscribe('jobs', (job) => got.push(job), { group: 'group 1' });
      await b.ready();
      a.publish('jobs', 1);
      a.publish('jobs', 2);
      await until(() => got.length === 1); // the other member of that group has the other one, or will have it
      assert.deepStrictEqual(errors, []);
      const more = Array.from({ length: 1000 }, (_, n) => ['*', true, `more ${n}`, 1]);
      await member.write(frame(member.note('g[]', texts([false, more]))));
      await until(() => said.acknowledged >= 2);
      a.publish('jobs', 3);
      a.publish('jobs', 4);
      await until(() => errors.length > 0);
      assert.deepStrictEqual(errors, ['ERR_TOO_MANY_MEMBERS']);
      await until(() => got.includes(3) && got.includes(4));
      await until(() => said.notes.includes('r["g"]'));
      await member.write(frame(member.note('g[]', texts([false, [['jobs', false, 'group 1', 5]]]))));
      await until(() => said.exceptions > 0);
      for (let n = 5; n < 10; n++) a.publish('jobs', n);
      await until(() => [5, 6, 7, 8, 9].every((n) => got.includes(n)));
    }
  );

  test(
    'members for whom another host has no room are reported on both hosts, and ready() is rejected',
    options,
    async (t) => {
      const { a, b } = await pair(t, { maxSubscriptions: 160 });
      const errors = [];
      for (const host of [a, b]) host.on('error', (err) => errors.push(err.code));
      const got = [];
      for (let n = 0; n < 11; n++) b.subscribe(`jobs ${n}`, () => got.push(n), { group: 'workers' });
      await assert.rejects(b.ready(), { code: 'ERR_TOO_MANY_MEMBERS' });
      await assert.rejects(b.ready(), { code: 'ERR_TOO_MANY_MEMBERS' });
      await until(() => errors.length === 2);
      assert.deepStrictEqual(errors, ['ERR_TOO_MANY_MEMBERS', 'ERR_TOO_MANY_MEMBERS']);
      for (let n = 0; n < 11; n++) a.publish(`jobs ${n}`, n);
      await until(() => got.length === 10);
    }
  );

  test('notes of a member about members of groups that keep to no rule change nothing', options, async (t) => {
    const host = await listening(t);
    const errors = [];
    host.on('error', (err) => errors.push(err));
    const member = await Member.join(host.url);
    t.after(() => member.end());
    const said = heard(member);
    const bad = [
      null,
      1,
      [],
      [true],
      [true, 1],
      [1, [1, [], [1], ['a'], ['a', false, 'g'], ['a', false, 1, 1], [1, false, 'g', 1]]],
      [
        true,
        [
          ['a', true, 'g', 1.5],
          ['a', true, 'g', -1],
          ['a', true, 'g', 1e300]
        ],
        true
      ]
    ];
    await member.write(
      frame(
        ...bad.map((value) => member.note('g[]', texts(value))),
        member.note('r'),
        member.note('r[]'),
        member.note('r["g"]'),
        member.note('r["x"]')
      )
    );
    await until(() => said.acknowledged >= bad.length + 4);
    assert.strictEqual(host.publish('a', 1), true);
    await until(() => errors.length > 0); // that it refuses the members of this host, it may say
    assert.deepStrictEqual(
      errors.map(({ code }) => code),
      ['ERR_TOO_MANY_MEMBERS']
    );
  });
}
