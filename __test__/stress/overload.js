'use strict';
// node __test__/stress/overload.js [SECONDS] [QUEUE] [SHARE]: a host with five receivers. For a while all of them take what they are sent. Then,
// for SECONDS, one of them is sent four times what it can take and one is frozen, while each of the other three is to get at least SHARE (0.8)
// of what it got before. What waits for a host is limited to QUEUE MiB; the sender may take the limits of the two and 64 MiB more. In the end the frozen one
// goes on, and nothing may be missing that was not refused: each send by a code, each publish by 'drop' here and 'gap' there.

const path = require('node:path');
const assert = require('node:assert');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');

const { Host } = require(path.join(__dirname, '../..'));

const MIB = 2 ** 20;
/** What the slow receiver takes, messages a second: its listener blocks so long. */
const RATE = 1000;
/** Messages a second to the one that will be frozen. */
const STEADY = 1000;
/** Publishes a second. */
const PUBLISHES = 200;
/** Sends to each of the others that are under way at a time. */
const TOGETHER = 32;
const TEXT = 'x'.repeat(1000);
/** What may become of a send: delivered, surely not, or nobody knows. */
const REFUSED = ['ERR_OVERLOADED', 'ERR_PEER_UNREACHABLE'];
const UNKNOWN = ['ERR_REQUEST_TIMEOUT', 'ERR_DELIVERY_UNKNOWN'];

if (process.argv[2] === 'receiver') receive(process.argv[3], process.argv[4]);
else run(Number(process.argv[2] ?? 60), Number(process.argv[3] ?? 128), Number(process.argv[4] ?? 0.8));

/** The process of a receiver. */
async function receive(name, url) {
  const host = new Host();
  const counts = { received: 0, heard: 0, gaps: 0, disorder: 0 };
  let last = -1;
  let lastHeard = -1;
  const block = new Int32Array(new SharedArrayBuffer(4));
  host.create(name).on('message', (from, { n }) => {
    if (name === 'slow') Atomics.wait(block, 0, 0, 1000 / RATE);
    counts.received++;
    if (n <= last) counts.disorder++;
    last = n;
  });
  host.subscribe('news', ({ n }) => {
    counts.heard++;
    if (n <= lastHeard) counts.disorder++;
    lastHeard = n;
  });
  host.on('gap', (of, count) => {
    counts.gaps = count === null ? NaN : counts.gaps + count;
  });
  process.on('message', () => process.send(counts));
  process.on('disconnect', () => process.exit());
  await host.listen('127.0.0.1', 0);
  await host.join(url);
  await host.ready();
  process.send({ url: host.url });
}

/** Calls `act` that often a second, in small heaps, until it is stopped. */
function pace(rate, act) {
  const start = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    for (const due = ((performance.now() - start) / 1000) * rate; done < due; done++) act();
  }, 5);
  return () => clearInterval(timer);
}

async function run(seconds, queue, share) {
  const host = new Host({ maxQueueBytes: queue * MIB, requestTimeout: 120_000 });
  await host.listen('127.0.0.1', 0);
  const from = host.create('sender');
  const names = ['slow', 'frozen', 'a', 'b', 'c'];
  const receivers = {};
  for (const name of names) {
    const child = fork(__filename, ['receiver', name, host.url]);
    const [{ url }] = await once(child, 'message');
    receivers[name] = { child, url, sent: 0, delivered: 0, refused: 0, unknown: 0, dropped: 0 };
  }
  const other = new Set();
  host.on('drop', (url, channel, count) => {
    Object.values(receivers).find((r) => r.url === url).dropped += count;
  });

  /** Sends, and counts how it ends. */
  const send = (name) => {
    const receiver = receivers[name];
    return from.send(name, { n: receiver.sent++, text: TEXT }).then(
      () => {
        receiver.delivered++;
      },
      (err) => {
        if (REFUSED.includes(err.code)) receiver.refused++;
        else if (UNKNOWN.includes(err.code)) receiver.unknown++;
        else other.add(String(err.code ?? err.stack));
      }
    );
  };
  let open = true;
  const loops = ['a', 'b', 'c'].flatMap((name) =>
    Array.from({ length: TOGETHER }, async () => {
      while (open) await send(name);
    })
  );
  let published = 0;
  const stopPublishing = pace(PUBLISHES, () => host.publish('news', { n: published++, text: TEXT }));
  const stopFrozen = pace(STEADY, () => send('frozen'));
  let stopSlow = pace(RATE / 2, () => send('slow'));
  const delivered = () => ['a', 'b', 'c'].map((name) => receivers[name].delivered);
  /** Deliveries a second to each of the others during that time, and the most memory. */
  const measure = async (time) => {
    const before = delivered();
    const start = performance.now();
    let rss = 0;
    while (performance.now() - start < time * 1000) {
      await sleep(100);
      rss = Math.max(rss, process.memoryUsage.rss());
    }
    const elapsed = (performance.now() - start) / 1000;
    return { rates: delivered().map((count, i) => (count - before[i]) / elapsed), rss };
  };

  await measure(Math.min(3, seconds)); // warm-up
  const calm = await measure(Math.min(15, seconds));
  stopSlow();
  stopSlow = pace(4 * RATE, () => send('slow'));
  receivers.frozen.child.kill('SIGSTOP');
  const overloaded = await measure(seconds);
  stopSlow();
  stopFrozen();
  stopPublishing();
  receivers.frozen.child.kill('SIGCONT');
  open = false;
  await Promise.all(loops);

  const settled = ({ sent, delivered, refused, unknown }) => sent === delivered + refused + unknown;
  while (other.size === 0 && !Object.values(receivers).every(settled)) await sleep(50);
  while (host.stats().undelivered > 0) await sleep(50);
  // One more for everybody, so that a gap at the end is told.
  host.publish('news', { n: published++, text: TEXT });
  const failures = [];
  for (const name of names) {
    const { child, sent, delivered, refused, unknown, dropped } = receivers[name];
    let counts;
    do {
      child.send('report');
      [counts] = await once(child, 'message');
    } while (counts.heard + dropped < published && !(await sleep(50)));
    console.log(
      `${name}: sent ${sent}, delivered ${delivered}, refused ${refused}, unknown ${unknown}; received ${counts.received}; ` +
        `of ${published} publishes heard ${counts.heard}, dropped ${dropped}, missed ${counts.gaps}`
    );
    const check = (isTrue, what) => {
      if (!isTrue) failures.push(`${name}: ${what}`);
    };
    check(delivered <= counts.received && counts.received <= delivered + unknown, 'received is not what was delivered');
    check(counts.disorder === 0, `${counts.disorder} came again or too late`);
    check(counts.heard + dropped === published, 'publishes were lost silently here');
    check(counts.gaps === dropped, 'publishes were lost silently there');
    check(
      name === 'slow' || name === 'frozen' || refused + unknown + dropped === 0,
      'something was lost where all is well'
    );
  }
  const ratios = overloaded.rates.map((rate, i) => rate / calm.rates[i]);
  const most = calm.rss + (2 * queue + 64) * MIB;
  const mib = (bytes) => `${Math.round(bytes / MIB)} MiB`;
  const list = (numbers, digits) => numbers.map((n) => n.toFixed(digits)).join(', ');
  console.log(
    `the others: ${list(calm.rates, 0)} messages a second before, ${list(overloaded.rates, 0)} meanwhile: ${list(ratios, 2)}`
  );
  console.log(`memory: ${mib(calm.rss)} before, ${mib(overloaded.rss)} at most meanwhile; ${mib(most)} are allowed`);
  if (other.size > 0) failures.push(`ended otherwise: ${[...other].join('; ')}`);
  if (Math.min(...ratios) < share) failures.push('the others were slowed down');
  if (overloaded.rss > most) failures.push('too much memory');
  if (receivers.slow.refused === 0 || receivers.frozen.refused === 0)
    failures.push('nothing was refused: this was no overload');
  for (const { child } of Object.values(receivers)) child.disconnect();
  await host.close();
  assert.deepStrictEqual(failures, []);
}
