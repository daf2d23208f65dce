'use strict';

// A process with some of the hosts of a network. It does what a measurement tells it to, and ends when that one is gone.

const { once } = require('node:events');

/** What a measurement needs of a package, beside its API. */
const packages = {
  ours: () => {
    const distribus = require('../..');
    /** @param {any} host */
    const native = (host) => host[Object.getOwnPropertySymbols(host)[0]].native;
    return { distribus, port: async () => 0, frames: (/** @type {any[]} */ hosts) => hosts.reduce((sum, host) => sum + native(host).framesSent, 0) };
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

async function freePort() {
  const server = require('node:net').createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @type {any} */
let kind;
/** @type {any[]} */
const hosts = [];

const connections = (/** @type {any} */ host) => Object.keys(host.connections).length;

/** @type {Record<string, (argument: any) => Promise<any>>} */
const commands = {
  /** Makes hosts that listen, and gives their urls. */
  async listen({ of, count }) {
    kind = packages[/** @type {'ours' | 'original'} */ (of)]();
    for (let i = 0; i < count; i++) {
      const host = new kind.distribus.Host();
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
