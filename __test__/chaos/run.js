'use strict';
// npm run chaos -- [--seconds 600] [--seed N] [--hosts 8] [--logs FOLDER] [--keep] [--no-namespaces] [--no-wide]
//
// Real host processes talk without end while processes are killed, frozen and restarted, connections are cut and the network is
// partitioned. In rounds: after each one everything is repaired, and within 35 s every host has to be connected with every other and to
// have got a message through to it. In the end the logs of all processes are checked (checker.js says for what). The exit code is 1 if
// anything was not as promised. The seed decides what happens, though not to the microsecond when.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { Actor, ask } = require('./cast.js');
const { check } = require('./checker.js');
const { harm, kinds } = require('./faults.js');
const { open } = require('./network.js');
const { read } = require('./log.js');
const Random = require('./random.js');

/** How long faults go on in one round. */
const ROUND = 30_000;
/** How long after a repair everybody has to be connected. */
const MESH = 35_000;
const REQUEST_TIMEOUT = 8000;
const RECONNECT_TIMEOUT = 7000;
/** Whoever is stopped or cut off for longer than that is lost, although no connection ends. */
const HEARTBEATS = { heartbeatInterval: 500, heartbeatTimeout: 2000 };
/** So little may wait for one host that a flood fills its queue while it is stopped. */
const LIMITS = { maxInFlight: 1024, maxQueueBytes: 1 << 20 };
/** A host has so many ports to move among. */
const PORTS = 3;
/** How long everybody may take to say what it sees. */
const LOOK = 20_000;
/** How long settling everything may take. */
const PATIENCE = REQUEST_TIMEOUT + 7000;
/** How many violations are printed. */
const SHOWN = 30;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    hosts: { type: 'string', default: '8' },
    logs: { type: 'string' },
    keep: { type: 'boolean', default: false },
    namespaces: { type: 'boolean', default: true },
    // Hosts that move, listen late and share urls, floods, and a look at what everybody sees.
    wide: { type: 'boolean', default: true }
  },
  allowNegative: true
});
const { seed } = values;
const start = performance.now();
main().then(
  (passed) => {
    process.exitCode = passed ? 0 : 1;
  },
  (err) => {
    console.error(err);
    process.exitCode = 1;
  }
);

async function main() {
  const folder = values.logs ?? fs.mkdtempSync(path.join(os.tmpdir(), 'distribus-chaos-'));
  fs.mkdirSync(folder, { recursive: true });
  const count = Number(values.hosts);
  const { network, canCut, missing } = await open(count, values.namespaces);
  /** @type {Actor[]} */
  let actors = [];
  const end = () => {
    for (const actor of actors) actor.signal('SIGKILL');
    network.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => {
      end();
      process.exit(1);
    });
  try {
    console.log(`${count} hosts, seed ${seed}, on ${network.describe()}`);
    for (const what of missing) console.log(`left out on this machine: ${what}`);
    const ports = await Promise.all(Array.from({ length: count }, (_, i) => network.ports(i, PORTS)));
    const names = ports.map((_, i) => `h${i}`);
    const options = {
      ...(values.wide ? LIMITS : {}),
      reconnectTimeout: RECONNECT_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      ...HEARTBEATS
    };
    actors = ports.map((_, i) => new Actor(i, { folder, names, ports, seed, options, wide: values.wide }, network));
    const { broken, healed, happened } = await play(actors, network, canCut, path.join(folder, 'faults.log'));
    return report(actors, broken, healed, happened, folder);
  } finally {
    end();
  }
}

/**
 * The run itself.
 * @param {Actor[]} actors
 * @param {any} network
 * @param {boolean} canCut
 * @param {string} faultsLog
 */
async function play(actors, network, canCut, faultsLog) {
  const broken = [];
  const healed = [];
  const happened = {};
  for (const actor of actors) {
    actor.on('trouble', (text) => broken.push(text));
    actor.on('here', introduce);
    actor.start();
  }
  const tell = (kind, what) => {
    happened[kind] = (happened[kind] ?? 0) + 1;
    note(`${kind}: ${what}`);
  };
  /** The times are those of the hosts' logs. */
  const note = (text) =>
    fs.appendFileSync(faultsLog, `${(Number(process.hrtime.bigint()) / 1e6).toFixed(3)} ${text}\n`);
  const random = new Random(seed);
  const scene = {
    actors,
    network,
    canCut,
    random,
    tell,
    wide: values.wide,
    reconnectTimeout: RECONNECT_TIMEOUT,
    patience: PATIENCE
  };
  const rounds = Math.max(1, Math.round((Number(values.seconds) * 1000) / (ROUND + 5000)));
  const faultsTime = Math.max(1000, Math.round((Number(values.seconds) * 1000) / rounds) - 5000);
  console.log(`${rounds} rounds of ${(faultsTime / 1000).toFixed(1)} s, then repair`);
  await mesh(0);
  for (let round = 1; round <= rounds && broken.length === 0; round++) {
    await harm(scene, AbortSignal.timeout(faultsTime));
    await mesh(round);
  }
  await finish(actors, broken);
  return { broken, healed, happened };

  /** Tells everybody who is where. */
  function introduce() {
    const cast = Object.fromEntries(actors.map(({ name, here }) => [name, here]));
    for (const actor of actors) actor.tell({ do: 'cast', cast });
  }

  /** While nobody comes or goes, everybody has to see the same. */
  async function look(round) {
    const stopped = await ask(
      actors,
      { do: 'still', round },
      (message) => (message.still === round ? message : undefined),
      LOOK
    );
    const said = [...stopped.values()];
    const peers = said.flatMap((message) => message.peers);
    const members = said.map(({ member }) => member).filter((member) => member !== null);
    const compared = await ask(
      actors,
      { do: 'compare', round, peers, members },
      (message) => (message.compared === round ? message : undefined),
      LOOK
    );
    for (const actor of actors) {
      const wrong = compared.get(actor)?.wrong ?? ['nothing, it does not answer'];
      if (wrong.length > 0)
        broken.push(
          `${actor.process} in round ${round}: ${wrong.slice(0, 6).join('; ')}${wrong.length > 6 ? ' …' : ''}`
        );
    }
    note(`round ${round} compared`);
    for (const actor of actors) actor.tell({ do: 'go' });
  }

  /** Everything works: how long until everybody is connected? */
  async function mesh(round) {
    note(`round ${round} repaired`);
    const since = performance.now();
    const done = await ask(actors, { do: 'verify', round }, ({ verified }) => verified === round || undefined, MESH);
    const seconds = (performance.now() - since) / 1000;
    note(`round ${round} verified`);
    if (done.size === actors.length) {
      healed.push(seconds);
      if (values.wide) await look(round);
      console.log(
        `${elapsed()} ${round === 0 ? 'full mesh' : `round ${round}: full mesh again`} after ${seconds.toFixed(1)} s`
      );
      return;
    }
    broken.push(`no full mesh ${MESH / 1000} s after the repair of round ${round}`);
    const states = await ask(actors, { do: 'state' }, ({ state }) => state, 2000);
    for (const actor of actors) {
      if (!done.has(actor))
        broken.push(`  ${actor.process} sees ${JSON.stringify(states.get(actor) ?? 'nothing, it does not answer')}`);
    }
  }
}

/**
 * Everybody ends, as soon as everything has settled and arrived.
 * @param {Actor[]} actors
 * @param {string[]} broken
 */
async function finish(actors, broken) {
  for (const actor of actors) actor.processes.at(-1).last = broken.length === 0;
  const command = { do: 'finish', processes: actors.map((actor) => actor.process) };
  const finished = await ask(actors, command, (message) => message.finished, PATIENCE);
  for (const actor of actors) {
    if (!finished.has(actor))
      broken.push(`${actor.process} did not settle everything and hear everybody within ${PATIENCE} ms`);
  }
  await Promise.all(actors.map((actor) => actor.end(PATIENCE)));
}

/**
 * @param {Actor[]} actors
 * @param {string[]} broken
 * @param {number[]} healed
 * @param {Record<string, number>} happened
 * @param {string} folder
 * @returns {boolean} whether all is well
 */
function report(actors, broken, healed, happened, folder) {
  const processes = actors
    .flatMap((actor) => actor.processes)
    .map((process) => ({ ...process, lines: read(process.logFile) }));
  const { violations, counts, codes } = check(processes);
  const all = [...broken, ...violations];
  console.log(
    `\nfaults    ${kinds.map((kind) => `${kind} ${happened[kind] ?? 0}`).join(', ')}; ${processes.length} processes`
  );
  console.log(
    `sends     ${counts.sent}: ${counts.resolved} resolved, ${counts.definite} failed definitely, ${counts.unknown} unknown, ` +
      `${counts.unsettled} unsettled in killed processes; ${counts.received} received`
  );
  console.log(
    `errors    ${Object.entries(codes)
      .map(([code, n]) => `${code} ${n}`)
      .join(', ')}`
  );
  console.log(
    `requests  ${counts.asked}: ${counts.answered} answered; jobs ${counts.jobs}: ${counts.done} done, ${counts.dropped} reported as dropped, ${counts.unowed} without a member`
  );
  console.log(
    `publishes ${counts.published}, heard ${counts.heard} times; ${counts.excused} in gaps where one had given the other up`
  );
  const sorted = [...healed].sort((a, b) => a - b);
  const text = (n) => (n === undefined ? 'never' : `${n.toFixed(1)} s`);
  console.log(
    `full mesh ${healed.length} times, after ${text(sorted[0])} at best, ${text(sorted[sorted.length >> 1])} in the median, ${text(sorted.at(-1))} at worst`
  );
  console.log(`${all.length} violations in ${elapsed()}, seed ${seed}`);
  for (const violation of all.slice(0, SHOWN)) console.error(`  ${violation}`);
  if (all.length > SHOWN) console.error(`  and ${all.length - SHOWN} more`);
  // A run in which nothing was delivered proves nothing.
  const passed = all.length === 0 && counts.received > 0 && counts.heard > 0;
  if (passed && !values.keep && values.logs === undefined) fs.rmSync(folder, { recursive: true });
  else {
    const again = `--seconds ${values.seconds} --seed ${seed}${values.wide ? '' : ' --no-wide'}`;
    console.log(`The logs are in ${folder}. Once more: npm run chaos -- ${again}`);
  }
  return passed;
}

function elapsed() {
  return `${((performance.now() - start) / 1000).toFixed(0)} s`;
}
