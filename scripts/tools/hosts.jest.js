'use strict';
/* global jest, test, expect */

// Runs under jest, with fake timers from the beginning.

const { Host } = require('distribus');

jest.setTimeout(30000);

async function talk() {
  const [one, two] = [new Host(), new Host()];
  const received = new Promise((resolve) => one.create('a').on('message', (from, message) => resolve(message)));
  one.get('a').handle((from, message) => message + 1);
  await one.listen('127.0.0.1', 0);
  await two.join(one.url);
  expect(await two.create('b').send('a', 1)).toBe(null);
  expect(await received).toBe(1);
  expect(await two.get('b').request('a', 1)).toBe(2);
  await expect(two.send('b', 'nobody', 1)).rejects.toMatchObject({ code: 'ERR_PEER_NOT_FOUND' });
  await two.close();
  await one.close();
}

test('hosts talk under fake timers', async () => {
  jest.useFakeTimers();
  await talk();
});

test('hosts talk under legacy fake timers', async () => {
  jest.useFakeTimers({ legacyFakeTimers: true });
  await talk();
});

test('hosts talk under real timers', async () => {
  jest.useRealTimers();
  await talk();
});
