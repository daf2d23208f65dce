'use strict';
// An honest member, in a process of its own: sends to the attacked one all the time, and says how long that takes.

const { Host } = require('../..');

const host = new Host();
const peer = host.create('neighbour');
/** @type {number[]} */
let times = [];
let failed = 0;
let last = performance.now();

process.on('disconnect', () => process.exit());
process.on('message', (act) => {
  if (act === 'begin') {
    times = [];
    failed = 0;
    last = performance.now();
    return;
  }
  // A send that is not back yet counts as long as it has waited.
  const sorted = [...times, performance.now() - last].sort((a, b) => a - b);
  process.send?.({
    count: times.length,
    failed,
    p50: sorted[Math.floor(sorted.length / 2)],
    p99: sorted[Math.ceil(sorted.length * 0.99) - 1],
    max: sorted[sorted.length - 1]
  });
});

async function go() {
  await host.join(process.argv[2]);
  process.send?.('joined');
  for (;;) {
    last = performance.now();
    await peer.send('here', 'well').catch(() => failed++);
    times.push(performance.now() - last);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
go();
