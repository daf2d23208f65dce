'use strict';
// What the watches of other hosts cost a host: next to nothing where peers are created, little memory, and never much time at once.

const test = require('node:test');
const assert = require('node:assert');
const heard = require('./bounds/heard.js');
const { Member, frame, texts } = require('./bounds/member.js');
const { matcher } = require('../lib/channels/matching.js');
const { listening, ours, pair, sever, until } = require('./support.js');
const { serve, start } = require('./other_process.js');

const WATCHES = 100_000;
const options = { timeout: 120_000 };

/** The host that is watched has a process of its own, so that its memory and its time are its own. */
async function watched() {
  const host = new ours.Host();
  for (let n = 0; n < 10_000; n++) host.create(`peer ${n}`);
  /** The longest turn, in ms: of processor time, because the machine may have more to do than this process. */
  let longest = 0;
  let last = process.cpuUsage();
  setInterval(() => {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    longest = Math.max(longest, (user + system) / 1000);
  }, 2);
  /** @type {Record<string, () => any>} */
  const acts = {
    reset: () => (longest = 0),
    delay: () => longest,
    memory: () => {
      global.gc?.();
      return process.memoryUsage().heapUsed / (1 << 20);
    },
    create: () => each((n) => host.create(`new ${n}`)),
    remove: () => each((n) => host.remove(`new ${n}`))
  };
  /** How long one takes, in µs. */
  const each = (/** @type {(n: number) => void} */ act) => {
    const begun = performance.now();
    for (let n = 0; n < 100; n++) act(n);
    return ((performance.now() - begun) / 100) * 1000;
  };
  await serve(host, acts);
}

/** Patterns that are much work, each in its way. @type {Record<string, (n: number) => string>} */
const KINDS = {
  'with many wildcards in one segment': (n) => `*n*e*w*${n}*`,
  'that match everything': () => '**',
  'that nearly match': (n) => `${'*'.repeat((n % 3) + 3)}n*${'*e*'.repeat(n % 7)}*w*x`,
  'with many segments of any number': (n) => `**.${'*.**.'.repeat(n % 4)}*new*${n % 100}`,
  'of names': (n) => `new ${n}`
};

if (process.argv[2] === 'watched') void watched();
else tests();

function tests() {
  for (const [kind, pattern] of Object.entries(KINDS)) {
    test(
      `${WATCHES} watches of another host ${kind} cost little memory, and no time where peers are created`,
      options,
      async (t) => {
        const { url, ask } = await start(t, __filename, 'watched');
        await ask('create');
        await ask('remove');
        const before = await ask('memory');
        await ask('reset');
        const member = await Member.join(url);
        t.after(() => member.end());
        const said = heard(member);
        for (let n = 0; n < WATCHES; n += 1000) {
          const notes = Array.from({ length: 1000 }, (_, k) =>
            member.note(`w[${n + k + 1},${JSON.stringify(pattern(n + k))}]`)
          );
          await member.write(frame(...notes));
        }
        await until(() => said.acknowledged >= WATCHES);
        // The machine may have more to do than this: the quickest of some counts.
        let [created, removed] = [Infinity, Infinity];
        for (let n = 0; n < 10; n++) {
          created = Math.min(created, await ask('create'));
          removed = Math.min(removed, await ask('remove'));
        }
        const delay = await ask('delay');
        const held = (await ask('memory')) - before;
        t.diagnostic(
          `create ${created.toFixed(1)}, remove ${removed.toFixed(1)} µs; ${held.toFixed(0)} MiB; at most ${delay.toFixed(0)} ms at once`
        );
        for (const time of [created, removed]) assert.ok(time < 100, `${time} µs`);
        assert.ok(held < 60, `${held} MiB`);
        assert.ok(delay < 300, `${delay} ms`);
        member.end();
        let left;
        do left = (await ask('memory')) - before;
        while (left > 5);
      }
    );
  }

  test(
    'a host serves as many watches of another one as an eighth of maxSubscriptions says, and refuses the others',
    options,
    async (t) => {
      const { a, b } = await pair(t, undefined, { maxSubscriptions: 80 });
      const served = Array.from({ length: 10 }, (_, n) => a.watch(`peer ${n}`));
      const first = served.map((watch) => watch.next());
      await a.send('a', 'b', 'told');
      const refused = a.watch('*');
      assert.deepStrictEqual(await refused.next().catch((err) => err.code), 'ERR_TOO_MANY_WATCHES');
      assert.deepStrictEqual(await refused.next(), { value: undefined, done: true });
      for (let n = 0; n < 10; n++) b.create(`peer ${n}`);
      for (const [n, next] of first.entries())
        assert.deepStrictEqual((await next).value, { type: 'join', id: `peer ${n}` });
      // There is room again for whoever comes after one that has ended.
      await served[0].return?.();
      const later = a.watch('peer 1*');
      assert.deepStrictEqual((await later.next()).value, { type: 'join', id: 'peer 1' });
      // A long pattern takes the room of several.
      await later.return?.();
      await assert.rejects(a.watch(`${'x'.repeat(70)}*`).next(), { code: 'ERR_TOO_MANY_WATCHES' });
    }
  );

  test('what a member watches beyond the bound is acknowledged as refused, and takes no memory', options, async (t) => {
    const host = await listening(t, { maxSubscriptions: 800 });
    const member = await Member.join(host.url);
    t.after(() => member.end());
    const said = heard(member);
    for (let n = 0; n < 300; n++) await member.write(frame(member.note(`w[${n + 1},"new"]`)));
    await until(() => said.acknowledged >= 300);
    assert.ok(said.exceptions > 0);
    host.create('new');
    await until(() => said.notes.length >= 64); // as many as may be in flight
    for (const head of said.notes) assert.ok(Number(/^c\[(\d+)\]$/.exec(head)?.[1]) <= 100, head);
  });

  test('a watch ends when one host tells of more than a million peers', options, async (t) => {
    const host = await listening(t);
    const member = await Member.join(host.url);
    t.after(() => member.end());
    const watch = host.watch('told *');
    let count = 0;
    const reading = (async () => {
      for await (const { type } of watch) count += type === 'join' ? 1 : 0;
    })();
    const told = assert.rejects(reading, { code: 'ERR_TOO_MANY_PEERS', message: new RegExp(member.id) });
    // Who goes makes room for others.
    const tell = (from, to, here) => {
      const rows = Array.from({ length: to - from }, (_, n) => [here, `told ${from + n}`]);
      return member.write(frame(member.note('c[1]', texts(rows))));
    };
    for (let n = 0; n < 2 ** 20; n += 2 ** 14) await tell(n, n + 2 ** 14, 1);
    await tell(0, 1000, 0);
    await tell(0, 1000, 1);
    await Promise.race([told, until(() => count >= 2 ** 20)]);
    assert.ok(count >= 2 ** 20, `it ends after ${count}`);
    await tell(2 ** 20, 2 ** 20 + 1, 1);
    await told;
    member.end(); // it answers no goodbye
  });

  test('notes of a member about watches that keep to no rule change nothing', options, async (t) => {
    const host = await listening(t);
    const member = await Member.join(host.url);
    t.after(() => member.end());
    const said = heard(member);
    const bad = [
      'w',
      'w[]',
      'w[1]',
      'w[1,7]',
      'w["1","*"]',
      'w[1.5,"*"]',
      'w[null,null]',
      'w{}',
      'u[]',
      'u["1"]',
      'u[7]',
      'c[]',
      'c[1]',
      'w[1e999,"*"]'
    ];
    await member.write(frame(...bad.map((head) => member.note(head))));
    await until(() => said.acknowledged >= bad.length);
    host.create('new');
    await member.write(frame(member.note('w[1,"new"]')));
    await until(() => said.notes.length > 0);
    assert.deepStrictEqual(said.notes, ['c[1]']);
  });

  for (const peers of [200, 20_000]) {
    test(
      `watches that begin and end while some of ${peers} peers come and go know in the end who is there`,
      options,
      async (t) => {
        const { a, b } = await pair(t);
        let seed = 1;
        const random = (/** @type {number} */ below) => (seed = (seed * 48271) % 2147483647) % below;
        const there = new Set(['b']);
        const change = () => {
          const id = `${['user', 'room', 'room.x'][random(3)]}.${random(peers)}`;
          if (there.delete(id)) b.remove(id);
          else there.add(b.create(id).id);
        };
        for (let n = 0; n < peers; n++) change();
        /** @type {{pattern: string, present: Set<string>, watch: AsyncIterableIterator<any>}[]} */
        const watches = [];
        const begin = () => {
          const pattern = [
            'user.*',
            '**',
            '*.1*',
            'room.**',
            `user.${random(peers)}`,
            'room.x.*',
            `*.${random(peers)}`
          ][random(7)];
          const one = { pattern, present: new Set(), watch: a.watch(pattern) };
          watches.push(one);
          void (async () => {
            for await (const { type, id } of one.watch) {
              if (type === 'join') assert.ok(!one.present.has(id) && one.present.add(id), `${id} twice`);
              else assert.ok(one.present.delete(id), `${id} was not there`);
            }
          })();
        };
        for (let round = 0; round < 60; round++) {
          for (let n = random(100); n > 0; n--) change();
          if (random(2)) begin();
          if (random(5) === 0) await watches.splice(random(watches.length), 1)[0]?.watch.return?.();
          if (round === 30) sever(a);
          await new Promise((resolve) => setTimeout(resolve, random(4)));
        }
        for (const { pattern, present } of watches) {
          const matching = matcher(pattern);
          const expected = [...there].filter((id) => matching(id)).sort();
          await until(() => present.size === expected.length);
          await until(() => JSON.stringify([...present].sort()) === JSON.stringify(expected));
        }
        await Promise.all(watches.map(({ watch }) => watch.return?.()));
      }
    );
  }
}
