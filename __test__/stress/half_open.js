'use strict';
// node __test__/stress/half_open.js [COUNT] [SECONDS]: COUNT strangers hold a connection to a host open with an upgrade that never ends, a byte
// every 10 seconds; who is hung up on comes back with the next byte. Meanwhile honest hosts join, send a message and leave. Every one has
// to succeed. Once with a host as it is by default, which hangs up soon, and once with one that is patient with everybody. With 10,000,
// `ulimit -n` has to be 11,000 at least.

const path = require('node:path');
const net = require('node:net');
const { fork } = require('node:child_process');
const { once } = require('node:events');

const { Host } = require(path.join(__dirname, '../..'));

const REQUEST =
  'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Never-Ends: ' + 'x'.repeat(1000);
/** Between two bytes of one stranger. */
const PERIOD = 10_000;
/** Honest hosts that join at the same time. */
const TOGETHER = 4;
const PATIENT = { maxPendingHandshakes: 100_000, maxConnections: 100_000, handshakeTimeout: 600_000 };

if (process.argv[2] === 'host') listen(JSON.parse(process.argv[3]));
else if (process.argv[2] === 'honest') join(process.argv[3], Number(process.argv[4]));
else both(Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 30));

async function both(count, seconds) {
  await run('by default', {}, count, seconds);
  await run('patient', PATIENT, count, seconds);
}

/** The process of the host that is molested. */
async function listen(options) {
  const host = new Host(options);
  let received = 0;
  host.create('r').on('message', () => {
    received++;
  });
  await host.listen('127.0.0.1', 0);
  process.on('message', () => process.send({ received, rss: process.memoryUsage.rss() }));
  process.on('disconnect', () => process.exit());
  process.send(host.url);
}

/** The process of the honest ones. */
async function join(url, seconds) {
  const until = performance.now() + seconds * 1000;
  const times = [];
  const failures = [];
  await Promise.all(
    Array.from({ length: TOGETHER }, async (_, i) => {
      for (let n = 0; performance.now() < until; n++) {
        const start = performance.now();
        const host = new Host();
        try {
          await host.join(url);
          await host.send(`${i}/${n}`, 'r', 'hello');
          times.push(performance.now() - start);
        } catch (err) {
          failures.push(String(err.code ?? err));
        }
        await host.close();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })
  );
  process.send({ times, failures });
  process.disconnect();
}

/** Somebody who never gets to the end of his request. */
class Stranger {
  bytes = 0;
  isOpen = false;

  constructor(port, counts) {
    this.port = port;
    this.counts = counts;
  }

  act() {
    if (this.socket === undefined || this.socket.destroyed) {
      this.bytes = 0;
      this.socket = net.connect(this.port, '127.0.0.1');
      this.socket
        .on('error', () => {})
        .once('connect', () => {
          this.count(1);
        })
        .once('close', () => {
          if (this.isOpen) this.count(-1);
        });
    }
    this.socket.write(REQUEST[this.bytes++ % REQUEST.length]);
  }

  count(by) {
    this.isOpen = by > 0;
    this.counts.open += by;
    this.counts.most = Math.max(this.counts.most, this.counts.open);
    if (by > 0) this.counts.connections++;
  }
}

async function run(name, options, count, seconds) {
  const host = fork(__filename, ['host', JSON.stringify(options)]);
  const [url] = await once(host, 'message');
  const port = Number(new URL(url.replace('ws:', 'http:')).port);
  const counts = { open: 0, most: 0, connections: 0 };
  const strangers = Array.from({ length: count }, () => new Stranger(port, counts));
  // Spread over the period, so that each of them has its turn every 10 s.
  let next = 0;
  const start = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - start) / PERIOD) * count;
    while (next < due) strangers[next++ % count].act();
  }, 5);
  while (next < count / 10) await new Promise((resolve) => setTimeout(resolve, 10));
  const honest = fork(__filename, ['honest', url, String(seconds)]);
  const [{ times, failures }] = await once(honest, 'message');
  host.send('report');
  const [{ received, rss }] = await once(host, 'message');
  clearInterval(timer);
  host.kill('SIGKILL');
  for (const { socket } of strangers) socket?.destroy();
  times.sort((a, b) => a - b);
  const ms = (n) => `${(n ?? NaN).toFixed(0)} ms`;
  console.log(
    `${name}: ${Math.min(next, count)} strangers connected ${counts.connections} times, ${counts.most} at one time; ` +
      `${times.length} of ${times.length + failures.length} honest hosts joined and sent, in ${ms(times[times.length >> 1])} in the median, ${ms(times.at(-1))} at worst; ` +
      `${received} messages received; the host takes ${(rss / 2 ** 20).toFixed(0)} MB`
  );
  for (const failure of failures.slice(0, 10)) console.error(failure);
  if (failures.length > 0 || times.length === 0 || counts.connections === 0) process.exitCode = 1;
}
