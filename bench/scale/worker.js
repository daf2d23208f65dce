'use strict';

// A process with some of the hosts of a network. It does what a measurement tells it to, and ends when that one is gone.

const freePort = require('../../scripts/free_port.js');

/** What a measurement needs of a package, beside its API. */
const packages = {
  ours: () => {
    const distribus = require('../..');
    /** @param {any} host */
    const native = (host) => host[Object.getOwnPropertySymbols(host)[0]].life.native;
    return {
      distribus,
      ready: (/** @type {any} */ host) => host.ready(),
      port: async () => 0,
      frames: (/** @type {any[]} */ hosts) => hosts.reduce((sum, host) => sum + native(host).framesSent, 0)
    };
  },

  original: () => {
    const distribus = require('distribus-original');
    // It has no counter, so its WebSockets count.
    const entry = require.resolve('distribus-original');
    const WebSocket = require(require.resolve('ws', { paths: [entry] }));
    const { send } = WebSocket.prototype;
    let sent = 0;
    WebSocket.prototype.send = function (/** @type {any[]} */ ...args) {
      sent++;
      return Reflect.apply(send, this, args);
    };
    return { distribus, port: freePort, frames: () => sent };
  }
};

/** @type {any} */
let kind;
/** @type {any[]} */
const hosts = [];

const connections = (/** @type {any} */ host) => Object.keys(host.connections).length;

/** How often a listener has been called. */
let heard = 0;

async function occupied() {
  /** @type {any} */ (globalThis).gc(); // once: each further one leaves behind what it worked with itself
  await new Promise((resolve) => setTimeout(resolve, 100));
  return process.memoryUsage().rss;
}

/** The name with the number n, of a pattern or a channel. */
const named = (/** @type {string} */ form, /** @type {number} */ n) => form.replace('{}', String(n));

/** @type {Record<string, (argument: any) => Promise<any>>} */
const commands = {
  /** Makes hosts that listen, and gives their urls. */
  async listen({ of, count, options = {} }) {
    kind = packages[/** @type {'ours' | 'original'} */ (of)]();
    for (let i = 0; i < count; i++) {
      // Without heartbeats the frames that are counted are those of what is measured. 0.4.0 hosts do not know the option.
      const host = new kind.distribus.Host({ heartbeatInterval: 0, ...options });
      await host.listen('127.0.0.1', await kind.port());
      hosts.push(host);
    }
    return hosts.map(({ url }) => url);
  },

  /** Has the hosts join, all at once or one after the other. */
  async join({ url, together }) {
    const joins = hosts.filter((host) => host.url !== url).map((host) => () => host.join(url));
    if (together) await Promise.all(joins.map((join) => join()));
    else for (const join of joins) await join();
  },

  /** Waits until every host is connected with so many others. */
  async connected({ others }) {
    while (!hosts.every((host) => connections(host) === others)) await new Promise((resolve) => setTimeout(resolve, 5));
  },

  /** Creates peers with a listener on the first host, and gives how long that took and what they occupy. */
  async create({ count }) {
    const [host] = hosts;
    const before = await occupied();
    const listener = () => {
      heard++;
    };
    const cpu = process.cpuUsage();
    const start = performance.now();
    for (let i = 0; i < count; i++) host.create('peer-' + i).on('message', listener);
    await new Promise(setImmediate); // what is left for the end of the turn belongs to it
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const bytes = (await occupied()) - before;
    await host.send('someone', 'peer-' + (count - 1), 'hello');
    if (heard !== 1) throw new Error('The last peer did not get its message');
    return { seconds, cpu: (user + system) / 1e6, bytes };
  },

  /** Subscribes the first hosts to channels or patterns that are named alike. */
  async subscribe({ form, count, hosts: many }) {
    for (const host of hosts.slice(0, many))
      for (let n = 0; n < count; n++)
        host.subscribe(named(form, n), () => {
          heard++;
        });
    if (kind.ready !== undefined) await Promise.all(hosts.slice(0, many).map(kind.ready));
  },

  /** Publishes on as many of the channels that are named alike, from the last host. */
  async publish({ form, count, of = count }) {
    const host = hosts[hosts.length - 1];
    const channels = Array.from({ length: count }, (_, n) => named(form, (n * 7919) % of)); // all over them: no cache holds what each needs
    for (let n = 0; n < count; n++) {
      host.publish(channels[n], 'hello');
      if (n % 1000 === 999) await new Promise(setImmediate);
    }
  },

  /** Waits until the listeners have been called so often. */
  async heard({ times }) {
    while (heard < times) await new Promise((resolve) => setTimeout(resolve, 5));
    if (heard > times) throw new Error(`Heard ${heard} messages in place of ${times}`);
    heard = 0;
  },

  /** What the process occupies. */
  occupied,

  async frames() {
    return kind.frames(hosts);
  },

  async usage() {
    const { user, system } = process.cpuUsage();
    return { cpu: (user + system) / 1e6, memory: process.memoryUsage().rss };
  }
};

process.on('message', async (/** @type {any} */ { id, command, argument }) => {
  try {
    process.send?.({ id, result: await commands[command](argument) });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
process.on('disconnect', () => process.exit());
