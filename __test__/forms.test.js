'use strict';
// What a message can be, and that all of it arrives: in the right order, with the right content, however much there is.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { ours: distribus, besideOriginal, listening, next, until } = require('./support.js');

const options = { timeout: 120_000 };

async function pair(t, config) {
  const [one, two] = [await listening(t, config), await listening(t, config)];
  await two.join(one.url);
  return [one, two];
}

test('a Buffer arrives as a Buffer, a Uint8Array as a Uint8Array', options, async (t) => {
  const [one, two] = await pair(t);
  const peer = one.create('r');
  for (const bytes of [
    Buffer.from([0, 1, 255]),
    Buffer.alloc(0),
    Buffer.alloc(100_000, 7),
    new Uint8Array([1, 2, 3])
  ]) {
    const heard = next(peer);
    assert.strictEqual(await two.send('s', 'r', bytes), null);
    const { message } = await heard;
    assert.strictEqual(Buffer.isBuffer(message), Buffer.isBuffer(bytes));
    assert.ok(message instanceof Uint8Array);
    assert.deepStrictEqual(Buffer.from(message), Buffer.from(bytes));
  }
});

test('bytes are those of the moment when send was called', options, async (t) => {
  const [one, two] = await pair(t);
  const heard = next(one.create('r'));
  await two.find('r');
  const bytes = Buffer.from('before');
  const sent = two.send('s', 'r', bytes);
  bytes.write('AFTER!');
  await sent;
  assert.strictEqual(String((await heard).message), 'before');
});

test('a Buffer is published as well', options, async (t) => {
  const [one, two] = await pair(t);
  const heard = new Promise((resolve) => one.subscribe('c', resolve));
  two.publish('c', Buffer.from('bytes'));
  assert.deepStrictEqual(await heard, Buffer.from('bytes'));
});

const MIXED = [
  'plain',
  '"quoted"\n\\',
  { a: ['x'] },
  'a',
  'b',
  'ü€',
  5,
  '\ud800',
  '',
  undefined,
  'y'.repeat(300),
  'last'
];

for (const [what, prototype] of Object.entries({
  'are there': null,
  'are there, where the program gives arrays a toJSON': Array.prototype,
  'are there, where the program gives all objects a toJSON': Object.prototype
})) {
  test(`short strings and other messages of one turn ${what}, in order`, options, async (t) => {
    const [one, two] = await pair(t);
    const sent = [];
    const published = [];
    one.create('r').on('message', (_from, message) => sent.push(message));
    one.subscribe('c', (message) => published.push(message));
    await one.ready();
    await two.find('r');
    if (prototype !== null) prototype.toJSON = () => 'spoiled';
    try {
      // Those that are objects are not the ones that this is about.
      const messages = MIXED.filter((message) => prototype === null || typeof message !== 'object');
      for (const message of messages) two.publish('c', message);
      await Promise.all(messages.map((message) => two.send('s', 'r', message)));
      await until(() => published.length === messages.length);
      delete prototype?.toJSON;
      assert.deepStrictEqual(sent, messages);
      assert.deepStrictEqual(published, messages);
    } finally {
      delete prototype?.toJSON;
    }
  });
}

test('to an original host bytes are what JSON makes of them', options, async (t) => {
  const [one, two] = await besideOriginal(t);
  const got = [];
  one.create('r').on('message', (from, message) => got.push(message));
  const values = [Buffer.from([1, 2]), new Uint8Array([3]), 'x'.repeat(1000), { a: [1] }, undefined];
  for (const value of values) await two.send('s', 'r', value);
  assert.deepStrictEqual(
    got,
    values.map((value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value))))
  );
});

/** Message number i of a mode. */
const modes = {
  ascii: (i) => 'message ' + i,
  'multi-byte': (i) => 'größer ' + i + ' ≥ ñ',
  emoji: (i) => '😀'.repeat(i % 5) + i,
  'lone surrogates': (i) => '\ud800' + i + '\udfff',
  NUL: (i) => '\u0000' + i + '\u0000\n\t"\\',
  numbers: (i) => i,
  objects: (i) => ({ i, text: 'é', list: [i, null, true] }),
  'long strings': (i) => 'x'.repeat(200 + (i % 50)) + i,
  'long multi-byte strings': (i) => 'ß😀'.repeat(150) + i,
  'long strings with lone surrogates': (i) => '\udc00'.repeat(200) + i,
  undefined: () => undefined,
  buffers: (i) => Buffer.from('bytes ' + i),
  mixed: (i) => [i, undefined, 'x'.repeat(300) + i, { i }, Buffer.from([i & 255])][i % 5]
};
const COUNT = Number(process.env.DISTRIBUS_TEST_MESSAGES || 10_000);

for (const [mode, make] of Object.entries(modes)) {
  test(`${COUNT} messages arrive complete, in order and unchanged: ${mode}`, { timeout: 600_000 }, async (t) => {
    // All are sent in one turn; where there are millions, that alone takes longer than the default.
    const [one, two] = await pair(t, { requestTimeout: 600_000 });
    let heard = 0;
    let published = 0;
    const check = (i, message) => {
      const expected = make(i);
      if (message !== expected) assert.deepStrictEqual(message, expected);
    };
    one.create('r').on('message', (from, message) => check(heard++, message));
    one.subscribe('c', (message) => check(published++, message));
    await two.find('r');
    const sends = [];
    for (let i = 0; i < COUNT; i++) {
      sends.push(two.send('s', 'r', make(i)));
      two.publish('c', make(i));
    }
    for (const result of await Promise.all(sends)) assert.strictEqual(result, null);
    await until(() => published === COUNT);
    assert.strictEqual(heard, COUNT);
  });
}

test('messages of 1 MB arrive in order, among small ones', options, async (t) => {
  const [one, two] = await pair(t);
  const got = [];
  one.create('r').on('message', (from, message) => got.push(message));
  await two.find('r');
  const large = ['a', 'é', '😀', '\ud800'].map((c) => c.repeat(2 ** 20 / c.length));
  const values = large.flatMap((text, i) => [i, text, { text }]);
  await Promise.all(values.map((value) => two.send('s', 'r', value)));
  assert.ok(got.length === values.length && got.every((value, i) => value.text?.length === values[i].text?.length));
  assert.ok(values.every((value, i) => JSON.stringify(value) === JSON.stringify(got[i])));
});

test('messages of many senders to many receivers keep their order', options, async (t) => {
  const [one, two] = await pair(t);
  const last = new Map();
  for (let r = 0; r < 10; r++) {
    one.create('r' + r).on('message', (from, i) => {
      const pair = from + r;
      assert.ok(i > (last.get(pair) ?? -1), `${pair}: ${i} after ${last.get(pair)}`);
      last.set(pair, i);
    });
  }
  const sends = [];
  // The first message to each receiver waits for its lookup while the others are sent.
  for (let i = 0; i < 5000; i++) sends.push(two.send('s' + (i % 7), 'r' + ((i * i) % 10), i));
  await Promise.all(sends);
});

test('listeners that take their time are acknowledged as they return', options, async (t) => {
  const host = await listening(t);
  const text = `const { Host } = require(${JSON.stringify(path.join(__dirname, '..'))}); const h = new Host();
    h.create('slow').on('message', () => { const end = performance.now() + 100; while (performance.now() < end); });
    h.join('${host.url}').then(() => process.send('joined'))`;
  const child = spawn(process.execPath, ['-e', text], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  t.after(() => child.kill());
  await once(child, 'message');
  await host.find('slow');
  const times = [];
  await Promise.all([1, 2, 3, 4].map((i) => host.send('s', 'slow', i).then(() => times.push(performance.now()))));
  assert.ok(times[3] - times[0] > 100, `first to last: ${times[3] - times[0]} ms`);
});

test('native promises on request', options, async (t) => {
  const [one, two] = await pair(t, { Promise });
  const local = one.create('r');
  for (const promise of [
    one.send('a', 'r', 1),
    two.send('a', 'r', 1),
    two.find('r'),
    two.list(),
    two.join(one.url),
    two.join('')
  ]) {
    assert.ok(promise instanceof Promise);
    await promise;
  }
  await assert.rejects(two.send('a', 'nobody', 1), { code: 'ERR_PEER_NOT_FOUND' });
  assert.strictEqual(await local.send('r', 2), null);
  assert.strictEqual(one.config().Promise, Promise);
  assert.throws(() => new distribus.Host({ Promise: 'native' }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => new distribus.Host({ Promise: () => {} }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
});
