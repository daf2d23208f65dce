// Runs under vitest, with fake timers.

import { afterEach, expect, test, vi } from 'vitest';
import { Host } from 'distribus';

afterEach(() => {
  vi.useRealTimers();
});

for (const fake of [true, false]) {
  test(`hosts talk under ${fake ? 'fake' : 'real'} timers`, async () => {
    if (fake)
      vi.useFakeTimers({
        toFake: [
          'setTimeout',
          'clearTimeout',
          'setImmediate',
          'clearImmediate',
          'setInterval',
          'clearInterval',
          'Date',
          'performance',
          'queueMicrotask'
        ]
      });
    const [one, two] = [new Host(), new Host()];
    const received = new Promise((resolve) => one.create('a').on('message', (from, message) => resolve(message)));
    await one.listen('127.0.0.1', 0);
    await two.join(one.url);
    expect(await two.send('b', 'a', 1)).toBe(null);
    expect(await received).toBe(1);
    await two.close();
    await one.close();
  });
}
