'use strict';
// One host process of the chaos run: peers, subscriptions, endless numbered messages, and a log of everything. Told what to do by the
// process that started it (see cast.js), ends when that one does.

const { Host } = require('../..');
const { Log } = require('./log.js');
const Random = require('./random.js');

const { name, life, address, port, urls, seed, logFile, options, native } = JSON.parse(process.argv[2]);
const me = `${name}.${life}`;
const own = `ws://${address}:${port}`;
const others = Object.keys(urls).filter((other) => other !== name);

/** `t` comes and goes, `v` is for the checks of the full mesh. */
const PEERS = ['a', 'b', 't', 'v'];
const CHANNELS = ['news', 'weather', 'sport'];
/** So many sends may be under way; beyond it the traffic pauses. */
const MAX_PENDING = 5000;

const log = new Log(logFile);
const random = new Random(`${seed} ${me}`);
const host = new Host({ ...options, ...(native ? { Promise } : {}) });
/** By pair, channel: the next number. */
const numbers = new Map();
/** What was heard last of all from other processes, once they had finished: process and channel. */
const farewells = new Set();
let sends = 0;
let pending = 0;
let traffic = true;
let checking = 0;

host.on('error', (err) => log.write('E', String(err), err.code));
host.on('gap', (url, count) => log.write('G', url, count));
host.on('drop', (url, channel, count) => log.write('D', url, channel, count));
for (const change of ['join', 'leave', 'disconnect', 'reconnect']) host.on(change, (url, id) => log.write('M', change, id));

for (const peer of PEERS) create(peer);
for (const channel of CHANNELS) host.subscribe(channel, (message) => heard(channel, textOf(message).split(' ')));

process.on('message', (command) => commands[command.do](command));
process.on('disconnect', () => process.exit());
start();

const commands = {
  /** Goes on until every other host is connected and has received a message of ours. */
  async verify({ round }) {
    checking = round;
    await Promise.all(others.map(async (other) => {
      while (checking === round && !isConnected(other)) await pause(20);
      while (checking === round && !(await send(`${name}/v`, `${other}/v`))) await pause(100);
    }));
    if (checking === round) process.send({ verified: round });
  },

  state() {
    const hosts = Object.fromEntries(host.hosts().map(({ url, connected }) => [url, connected ? 'connected' : 'lost']));
    process.send({ state: { hosts, pending } });
  },

  /** Ends the traffic, and waits until everything has settled and the last of all publishes has been heard. */
  async finish({ processes }) {
    traffic = false;
    checking = 0;
    for (const channel of CHANNELS) publish(channel, 'last');
    while (pending > 0 || !processes.every((p) => p === me || CHANNELS.every((c) => farewells.has(`${p} ${c}`)))) await pause(20);
    process.send({ finished: true });
  },

  /** Says goodbye, waits until everything has settled, and ends. */
  async end() {
    traffic = false;
    checking = 0;
    await host.close();
    while (pending > 0) await pause(5);
    log.write('end');
    process.exit();
  }
};

async function start() {
  for (;;) {
    try {
      await host.listen(address, port);
      break;
    } catch (err) {
      // The killed process before this one may not be quite gone.
      if (err.code !== 'EADDRINUSE') throw err;
      await pause(20);
    }
  }
  // What the addon calls itself is nothing that programs need; the checker does, to tell incarnations apart.
  const core = Object.getOwnPropertySymbols(host).find(({ description }) => description === 'distribus');
  log.write('id', host[core].id, own);
  setInterval(talk, 10);
  setInterval(keep, 250);
  keep();
}

/** As programs do: whoever should be in the network and is not, not even as a lost one, is joined. */
let joining = false;
async function keep() {
  const known = new Set(host.hosts().map(({ url }) => url));
  const missing = Object.values(urls).filter((url) => url !== own && !known.has(url));
  if (joining || !traffic || missing.length === 0) return;
  joining = true;
  await host.join(missing).then(() => {}, (err) => log.write('J', err.code, missing.length));
  joining = false;
}

function isConnected(other) {
  return host.hosts().some(({ url, connected }) => connected && url === urls[other]);
}

/** A moment of traffic. */
function talk() {
  if (!traffic || pending > MAX_PENDING) return;
  const from = `${name}/${random.pick(PEERS)}`;
  if (random.chance(0.01)) {
    const to = anyPeer();
    for (let i = random.between(20, 200); i > 0; i--) send(from, to);
  }
  for (let i = random.between(0, 2); i > 0; i--) send(from, anyPeer());
  if (random.chance(0.2)) publish(random.pick(CHANNELS));
  const comesAndGoes = host.get(`${name}/t`);
  if (comesAndGoes === null && random.chance(0.05)) create('t');
  else if (comesAndGoes !== null && random.chance(0.01)) host.remove(comesAndGoes);
}

function anyPeer() {
  return `${random.chance(0.05) ? name : random.pick(others)}/${random.chance(0.02) ? 'nobody' : random.pick(PEERS)}`;
}

function create(peer) {
  const id = `${name}/${peer}`;
  host.create(id).on('message', (from, message) => {
    const [sender, n] = textOf(message).split(' ');
    log.write('R', sender, from, id, Number(n));
  });
}

function heard(channel, [publisher, n, last]) {
  log.write('H', publisher, channel, Number(n));
  if (last === 'last') farewells.add(`${publisher} ${channel}`);
}

function next(key) {
  const n = numbers.get(key) ?? 0;
  numbers.set(key, n + 1);
  return n;
}

/** @returns {Promise<boolean>} whether it resolved */
async function send(from, to) {
  const send = sends++;
  const n = next(`${from} ${to}`);
  const message = wrap(`${me} ${n} `);
  pending++;
  log.write('S', send, from, to, n);
  try {
    await host.send(from, to, message);
    log.write('O', send);
    return true;
  } catch (err) {
    log.write('F', send, String(err.code ?? err));
    return false;
  } finally {
    pending--;
  }
}

function publish(channel, last = '') {
  const n = next(channel);
  const message = wrap(`${me} ${n} ${last} `);
  log.write('P', channel, n);
  host.publish(channel, message);
}

/** Messages cross in several forms: short and long strings, objects, Buffers. */
function wrap(text) {
  switch (random.between(0, 9)) {
    case 0: return text + 'x'.repeat(random.between(200, 20_000));
    case 1: return Buffer.from(text + 'é'.repeat(random.between(0, 2000)));
    case 2: return { text, more: [1, null, { 'ü': true }] };
    default: return text;
  }
}

function textOf(message) {
  return Buffer.isBuffer(message) ? message.toString() : message.text ?? message;
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
