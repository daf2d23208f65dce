'use strict';
// node __test__/stress/exits.js [COUNT]: COUNT processes join a host, send, publish and are published to, and call process.exit() at
// random moments, while neighbours of theirs are killed. Every exit code has to be 0.

const path = require('node:path');
const { spawn } = require('node:child_process');

const { Host } = require(path.join(__dirname, '../..'));

/** How many processes live at the same time. */
const ALIVE = 4;
/** One in so many processes is killed instead. */
const KILLED = 8;

if (process.argv[2] === 'leave') leave(process.argv[3], process.argv[4] === 'killed');
else main(Number(process.argv[2] ?? 1000));

/** A process that joins, makes traffic and goes. */
function leave(url, killed) {
  const exit = () => process.exit(0);
  const moment = Math.random();
  const host = new Host();
  const name = 'p' + Math.random();
  const peer = host.create(name);
  peer.on('message', () => {
    if (moment < 0.2) exit();
  });
  host.subscribe('news', () => {
    if (moment < 0.1) exit();
  });
  setTimeout(exit, killed ? 10_000 : moment * 60);
  const start = moment < 0.5 ? host.listen('127.0.0.1', 0) : Promise.resolve();
  start
    .then(() => host.join(url))
    .then(async () => {
      if (killed) process.stdout.write('joined');
      if (moment > 0.9) host.close().then(exit);
      for (;;) {
        await Promise.all(Array.from({ length: 20 }, (_, i) => peer.send('r', { i, name })));
        host.publish('news', name);
        if (!killed && Math.random() < 0.05) exit();
      }
    })
    .catch(() => {}); // a neighbour that is gone, or our own close
}

async function main(count) {
  const host = new Host();
  await host.listen('127.0.0.1', 0);
  let received = 0;
  const receiver = host.create('r');
  receiver.on('message', (from, { name }) => {
    if (++received % 3 === 0) receiver.send(name, 'answer').catch(() => {});
  });
  host.subscribe('news', () => {
    received++;
  });
  const chatter = setInterval(() => host.publish('news', 'more'), 1);

  const failures = [];
  let killedOnes = 0;
  const one = (number) =>
    new Promise((resolve, reject) => {
      const killed = number % KILLED === 0;
      const child = spawn(process.execPath, [__filename, 'leave', host.url, killed ? 'killed' : ''], {
        stdio: ['ignore', 'pipe', 'pipe']
      });
      let stderr = '';
      child.stderr.on('data', (data) => {
        stderr += data;
      });
      child.stdout.on('data', () => setTimeout(() => child.kill('SIGKILL'), Math.random() * 30));
      child.once('error', reject);
      child.once('close', (code, signal) => {
        if (killed) killedOnes++;
        else if (code !== 0 || stderr !== '') failures.push({ code, signal, stderr });
        resolve();
      });
    });
  let number = 0;
  let exits = 0;
  await Promise.all(
    Array.from({ length: ALIVE }, async () => {
      while (exits < count) {
        if (++number % KILLED !== 0) exits++;
        await one(number);
      }
    })
  );
  clearInterval(chatter);
  await host.close();
  console.log(
    `${exits} processes exited, ${killedOnes} were killed, ${received} messages arrived, ${failures.length} failures`
  );
  for (const failure of failures.slice(0, 10)) console.error(failure);
  if (failures.length > 0 || received === 0) process.exitCode = 1;
}
