'use strict';

const test = require('node:test');
const assert = require('node:assert');
const Ring = require('../lib/crossing/ring.js');
const Random = require('./chaos/random.js');

/** What a ring should be: a map by number. */
class Reference {
  items = new Map();
  next = 0;

  push(item, note) {
    this.items.set(this.next++, { item, note });
  }

  take(number) {
    const item = this.items.get(number)?.item;
    this.items.delete(number);
    return item;
  }
}

test('what is pushed is taken by its number, whatever stays', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = new Random(seed);
    const ring = new Ring();
    const reference = new Reference();
    const stays = random.next() / 10;
    for (let step = 0; step < 40_000; step++) {
      ring.push(`item ${step}`, `note ${step}`);
      reference.push(`item ${step}`, `note ${step}`);
      const number = random.chance(0.1) ? random.between(0, step + 1) : step - random.between(0, 50);
      if (number < 0 || !random.chance(1 - stays)) continue;
      assert.strictEqual(ring.take(number), reference.take(number), `seed ${seed}, number ${number}`);
      assert.strictEqual(ring.size, reference.items.size);
    }
    const left = [];
    ring.clear((item, note) => left.push({ item, note }));
    assert.deepStrictEqual(left, [...reference.items.values()]);
    assert.deepStrictEqual([ring.size, ring.next, ring.take(0)], [0, 0, undefined]);
  }
});

test('one that stays does not keep room for those that come and go', () => {
  const ring = new Ring();
  ring.push('stays', null);
  for (let number = 1; number < 100_000; number++) {
    ring.push(number, null);
    assert.strictEqual(ring.take(number), number);
  }
  assert.ok(ring.slots.length <= 1024, `${ring.slots.length} slots`);
  assert.strictEqual(ring.take(0), 'stays');
  assert.strictEqual(ring.size, 0);
});

test('no more room is kept than for four times what stays', () => {
  const ring = new Ring();
  for (let number = 0; number < 200_000; number++) {
    ring.push(number, null);
    if (number % 100 !== 0) ring.take(number);
  }
  assert.strictEqual(ring.size, 2000);
  assert.ok(ring.slots.length <= 8192, `${ring.slots.length} slots`);
});
