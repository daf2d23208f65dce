'use strict';
// One host process of the chaos run: peers, subscriptions, endless numbered messages, and a log of everything. Told what to do by the
// process that started it (see cast.js), ends when that one does.

const { Host } = require('../..');
const { Jobs, Present, Requests, differences } = require('./groups.js');
const { Log } = require('./log.js');
const Random = require('./random.js');

const { name, life, address, place, names, seed, logFile, options, native, worker } = JSON.parse(process.argv[2]);
const me = `${name}.${life}`;
const others = names.filter((other) => other !== name);
/** By the host's name: its url and id, as far as they are known to the process that started this one. */
let cast = {};

/** `t` comes and goes, `v` is for the checks of the full mesh. */
const PEERS = ['a', 'b', 't', 'v'];
const CHANNELS = ['news', 'weather', 'sport'];
/** So many sends may be under way; beyond it the traffic pauses. */
const MAX_PENDING = 5000;
/** Within so many ms a network that is well is seen as it is, and every peer reached. */
const REACH = 5000;
/** How long `drain` may take, in ms. */
const DRAIN = 5000;

const log = new Log(logFile);
const random = new Random(`${seed} ${me}`);
const host = new Host({ ...options, ...(native ? { Promise } : {}) });
/** By pair, channel: the next number. */
const numbers = new Map();
const jobs = new Jobs(host, log, me);
const requests = new Requests(log, me);
const present = new Present(host, log);
/** What was heard last of all from other processes, once they had finished: process and channel. */
const farewells = new Set();
let sends = 0;
let pending = 0;
let traffic = true;
let checking = 0;
let joining = false;
/** Nobody comes or goes for the time being. */
let still = false;

host.on('error', (err) => log.write('E', String(err), err.code));
host.on('gap', (url, count) => log.write('G', url, count));
host.on('drop', (url, channel, count) => log.write('D', url, channel, count));
for (const change of ['join', 'leave', 'disconnect', 'reconnect'])
  host.on(change, (url, id) => log.write('M', change, id));

for (const peer of PEERS) create(peer);
for (const channel of CHANNELS) host.subscribe(channel, (message) => heard(channel, textOf(message).split(' ')));

process.on('message', (command) => commands[command.do](command));
process.on('disconnect', () => process.exit());
start();

const commands = {
  /** Goes on until every other host is connected and has received a message of ours. */
  async verify({ round }) {
    checking = round;
    await Promise.all(
      others.map(async (other) => {
        while (checking === round && !isConnected(other)) await pause(20);
        while (checking === round && !(await send(`${name}/v`, `${other}/v`))) await pause(100);
      })
    );
    if (checking === round) process.send({ verified: round });
  },

  /** The others are there, by these urls and ids. */
  cast(command) {
    cast = command.cast;
  },

  /** From now on nobody comes or goes here. */
  still({ round }) {
    still = true;
    process.send({ still: round, peers: Object.keys(host.peers), member: jobs.isMember ? me : null });
  },

  /** Says what of the whole network is not seen here within a while. */
  async compare({ round, peers, members }) {
    const until = performance.now() + REACH;
    let wrong;
    do {
      const unreached = peers.map(async (peer) =>
        (await send(`${name}/v`, peer)) ? [] : [`${peer} cannot be sent to`]
      );
      const list = host.list('*').then(
        (ids) => differences('the list', ids, peers),
        (err) => [`the list: ${err.code}`]
      );
      wrong = [
        ...differences('the watch', present.ids, peers),
        ...(await list),
        ...(await Promise.all(unreached)).flat()
      ];
      if (wrong.length > 0) await pause(100);
    } while (wrong.length > 0 && performance.now() < until);
    if (!worker) jobs.probe(members);
    process.send({ compared: round, wrong });
  },

  /** Peers and members may come and go again. */
  go() {
    still = false;
  },

  /** Goes on at another port. */
  async move({ port }) {
    if (host.server === null) return;
    host.server.close();
    host.server = null;
    await listen(port);
  },

  /** Much at once, more than may wait where somebody does not take it, while peers and members come and go. */
  async flood({ count }) {
    for (let i = 0; i < count; i++) {
      publish('news');
      if (!worker) jobs.publish();
      if (i % 100 === 0) {
        comeOrGo(0.5, 0.5);
        if (worker) await (jobs.isMember && random.chance(0.5) ? jobs.leave() : jobs.enter());
      }
    }
  },

  state() {
    const hosts = Object.fromEntries(host.hosts().map(({ url, connected }) => [url, connected ? 'connected' : 'lost']));
    process.send({ state: { hosts, pending: pending + requests.pending } });
  },

  /** Ends the traffic, and waits until everything has settled and the last of all publishes has been heard. */
  async finish({ processes }) {
    traffic = false;
    checking = 0;
    for (const channel of CHANNELS) publish(channel, 'last');
    while (
      pending + requests.pending > 0 ||
      !processes.every((p) => p === me || CHANNELS.every((c) => farewells.has(`${p} ${c}`)))
    )
      await pause(20);
    process.send({ finished: true });
  },

  /** Says goodbye, waits until everything has settled, and ends. */
  async end() {
    traffic = false;
    checking = 0;
    log.write('ending');
    await host.close();
    await finished();
  },

  /** Drains, which settles everything before it says goodbye, and ends. */
  async drain() {
    traffic = false;
    checking = 0;
    log.write('drain');
    await host.drain({ timeout: DRAIN }).then(
      () => log.write('drained'),
      (err) => {
        if (err.code !== 'ERR_DRAIN_TIMEOUT') throw err;
        log.write('undrained', err.undelivered, err.unanswered);
      }
    );
    await finished();
  }
};

async function finished() {
  while (pending + requests.pending > 0) await pause(5);
  log.write('end');
  process.exit();
}

async function start() {
  if (place.after === 0) await listen(place.port);
  else announce();
  setInterval(talk, 10);
  setInterval(keep, 250);
  if (worker) await jobs.enter();
  keep();
  if (place.after > 0) {
    await pause(place.after);
    await listen(place.port);
  }
}

/** @param {number} port */
async function listen(port) {
  for (;;) {
    try {
      // Of those that share a url, each is at an address of its own, which the others are told.
      if (place.shared) await host.listen('127.0.0.1', port, { bind: '0.0.0.0' });
      else await host.listen(address, port);
      break;
    } catch (err) {
      if (err.code === 'ERR_HOST_DRAINING') return;
      // The killed process before this one may not be quite gone.
      if (err.code !== 'EADDRINUSE') throw err;
      await pause(20);
    }
  }
  announce(`ws://${address}:${port}`);
}

/** Says where this incarnation is. What the addon calls it is nothing that programs need; the checker does. */
function announce(url = null) {
  const core = host[Object.getOwnPropertySymbols(host).find(({ description }) => description === 'distribus')];
  core.start();
  log.write('id', core.life.id, url, host.url);
  process.send({ here: { url, id: core.life.id } });
}

/** As programs do: whoever should be in the network and is not, not even as a lost one, is joined. */
async function keep() {
  const known = new Set(host.hosts().map(({ id }) => id));
  const missing = others
    .map((other) => cast[other])
    .filter((there) => there?.url && !known.has(there.id))
    .map(({ url }) => url);
  if (joining || !traffic || missing.length === 0) return;
  joining = true;
  await host.join(missing).then(
    () => {},
    (err) => log.write('cannot join', err.code, missing.length)
  );
  joining = false;
}

function isConnected(other) {
  return host.hosts().some(({ id, connected }) => connected && id === cast[other]?.id);
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
  if (random.chance(0.2)) {
    const way = random.pick(['now', 'now', 'late', 'throw']);
    requests.ask(host.get(`${name}/a`), `${random.pick(others)}/${random.pick(['a', 'b', 't'])}`, way);
  }
  if (!worker && random.chance(0.3)) jobs.publish();
  comeOrGo(0.05, 0.01);
  if (still || !worker) return;
  if (!jobs.isMember && random.chance(0.02)) jobs.enter();
  else if (jobs.isMember && random.chance(0.002)) jobs.leave();
}

/**
 * @param {number} come how likely the peer comes that is not there
 * @param {number} go how likely the one goes that is
 */
function comeOrGo(come, go) {
  if (still) return;
  const comesAndGoes = host.get(`${name}/t`);
  if (comesAndGoes === null && random.chance(come)) create('t');
  else if (comesAndGoes !== null && random.chance(go)) host.remove(comesAndGoes);
}

function anyPeer() {
  return `${random.chance(0.05) ? name : random.pick(others)}/${random.chance(0.02) ? 'nobody' : random.pick(PEERS)}`;
}

function create(peer) {
  const id = `${name}/${peer}`;
  const made = host.create(id);
  if (peer === 'b') requests.serve(made);
  made.on('message', (from, message) => {
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
    case 0:
      return text + 'x'.repeat(random.between(200, 20_000));
    case 1:
      return Buffer.from(text + 'é'.repeat(random.between(0, 2000)));
    case 2:
      return { text, more: [1, null, { ü: true }] };
    default:
      return text;
  }
}

function textOf(message) {
  return Buffer.isBuffer(message) ? message.toString() : (message.text ?? message);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
