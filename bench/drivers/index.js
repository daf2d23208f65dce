'use strict';

const path = require('node:path');

/**
 * The node of a driver that receives, one of several in its process perhaps.
 * @typedef {object} Receiver
 * @property {any} address what `connect` is given
 * @property {(id: string, callback: (from: string, message: any) => void) => any} receive takes the messages sent to an id
 * @property {(channel: string, callback: (message: any) => void) => any} subscribe
 * @property {(id: string, callback: (from: string, message: any) => any) => any} [answer] takes the requests to an id
 */

/**
 * The node of a driver that sends.
 * @typedef {object} Sender
 * @property {(to: string, message: any) => PromiseLike<any>} send resolves when the receiving callback has returned
 * @property {(channel: string, message: any) => void} publish
 * @property {(to: string, message: any) => PromiseLike<any>} [request] resolves with what the answering callback returns
 */

/**
 * The node of a driver that publishes to all who have connected with it. `light` is the file of light/ by which they do.
 * @typedef {object} Hub
 * @property {{ url: string, light: string }} address
 * @property {(channel: string, message: any) => void} publish
 */

/**
 * What a file of this folder exports. `host` and `listeningHost` are only there where there are peers inside one process.
 * @typedef {object} Driver
 * @property {{ all(promises: any[]): PromiseLike<any> }} Promise that of the promises that `send` returns
 * @property {(broker?: string) => Promise<Receiver>} listen
 * @property {(addresses: any[], directory: Map<string, number>, broker?: string) => Promise<Sender>} connect
 *   `directory` tells at which of the addresses each recipient lives, for drivers that cannot find that out
 * @property {() => Promise<Hub>} [hub]
 * @property {() => any} [host]
 * @property {() => Promise<any>} [listeningHost]
 */

/**
 * What there is to know of a driver without loading it.
 * @typedef {object} Contender
 * @property {string} title
 * @property {string} [sender] the driver at the sending end, when it is not the one of that name
 * @property {string} [receiver] the driver at the receiving end
 * @property {string} [package] whose version is reported, if it is not that of Node.js
 * @property {'nats' | 'redis'} [broker] the server that it needs
 * @property {boolean} [limit] whether it is the Rust program instead of a file of this folder
 */

/** @type {Record<string, Contender>} */
const contenders = {
  ours: { title: 'distribus' },
  original: { title: 'distribus 0.4.0' },
  ws: { title: 'ws, by hand', package: 'ws' },
  'ws-batched': { title: 'ws, by hand, batched', package: 'ws' },
  'socket.io': { title: 'Socket.IO', package: 'socket.io' },
  nats: { title: 'NATS', package: '@nats-io/transport-node', broker: 'nats' },
  zeromq: { title: 'ZeroMQ', package: 'zeromq' },
  redis: { title: 'Redis pub/sub', package: 'redis', broker: 'redis' },
  net: { title: 'node:net alone' },
  'ours-native': { title: 'distribus, native Promise' },
  tungstenite: { title: 'Rust alone (tungstenite)', limit: true },
  'ours-to-original': { title: 'distribus → 0.4.0', sender: 'ours', receiver: 'original' },
  'original-to-ours': { title: '0.4.0 → distribus', sender: 'original', receiver: 'ours' }
};

/**
 * The file of a contender's driver.
 * @param {string} name
 * @param {'sender' | 'receiver'} end
 */
function fileOf(name, end) {
  return path.resolve(__dirname, (contenders[name][end] ?? name) + '.js');
}

module.exports = { contenders, fileOf };
