'use strict';
// Lists of peers that are larger than a message may be, and hosts that cannot say theirs.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { Member, frame, texts } = require('./bounds/member.js');
const { listening, pair, until } = require('./support.js');

const options = { timeout: 60_000 };
const small = { maxPayload: 64 * 1024 };

for (const [who, asks, answers] of [
  ['the asking host', small, undefined],
  ['the answering host', undefined, small],
  ['either host', small, small]
]) {
  test(
    `a list is whole although it is larger than maxPayload of ${who}, and no connection ends`,
    options,
    async (t) => {
      const [a, b] = [await listening(t, asks), await listening(t, answers)];
      for (const host of [a, b]) host.on('disconnect', () => assert.fail('a connection has ended'));
      await b.join(a.url);
      const plain = Array.from({ length: 5000 }, (_, n) => `a peer with a ñame ${n}`);
      for (const id of plain) b.create(id);
      for (const list of [await a.list(), await a.list('*'), await a.list('**')]) assert.deepStrictEqual(list, plain);
      a.create('here');
      assert.deepStrictEqual(await a.list(), ['here', ...plain]);
      assert.strictEqual((await a.list('a peer with*')).length, plain.length);
      assert.deepStrictEqual(await a.list('no such peer'), []);
    }
  );
}

test('an id that is nearly as long as a message may be does not keep the others out of a list', options, async (t) => {
  const [a, b] = [await listening(t, small), await listening(t)];
  await b.join(a.url);
  const [long, tooLong] = ['x'.repeat(60_000), '"'.repeat(60_000)];
  for (const id of ['before', long, 'between', tooLong, 'after']) b.create(id);
  assert.deepStrictEqual(await a.list(), ['before', long, 'between', 'after']);
});

test('a list whose host closes before all have answered is rejected, not cut short', options, async (t) => {
  const { a, b } = await pair(t);
  const text = `const { Host } = require(${JSON.stringify(path.join(__dirname, '..'))}); new Host().join('${a.url}')`;
  const child = spawn(process.execPath, ['-e', text], { stdio: 'inherit' });
  t.after(() => child.kill('SIGKILL'));
  await until(() => a.hosts().length === 2);
  child.kill('SIGSTOP');
  const lists = [a.list(), a.list('*')].map((list) => assert.rejects(list, { code: 'ERR_HOST_CLOSED' }));
  assert.strictEqual(await a.send('a', 'b', 1), null);
  await a.drain({ timeout: 1 }).catch(() => {});
  await Promise.all(lists);
  await until(() => Object.keys(b.connections).length === 0);
});

test('a list does without a host that tells of more than a million peers', options, async (t) => {
  const host = await listening(t);
  host.create('told here');
  const member = await Member.join(host.url);
  t.after(() => member.end());
  const list = host.list('told *');
  for (let n = 0; n <= 64; n++) {
    const ids = Array.from({ length: 2 ** 14 }, (_, k) => `told ${n} ${k}`);
    await member.write(frame(member.note('p1', texts(ids))));
  }
  assert.deepStrictEqual(await list, ['told here']);
  member.end(); // it answers no goodbye
});

test(
  'lists that other hosts ask for come in parts, between other work, and with those that came meanwhile',
  options,
  async (t) => {
    const { a, b } = await pair(t);
    const ids = Array.from({ length: 30_000 }, (_, n) => `peer ${n}`);
    for (const id of ids) b.create(id);
    const lists = [a.list('peer *'), a.list('peer 29*'), a.list('*'), a.list('peer 7'), a.list('no such peer')];
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const [all, some, every, one, none] = await Promise.all(lists);
    clearInterval(timer);
    assert.deepStrictEqual(all, ids);
    assert.deepStrictEqual(some, ids.filter((id) => id.startsWith('peer 29'))); // prettier-ignore
    assert.deepStrictEqual(every.sort(), [...ids, 'b'].sort());
    assert.deepStrictEqual([one, none], [['peer 7'], []]);
    assert.ok(turns > 5, `${turns} turns`);
  }
);
