'use strict';

// emit with an acknowledgement callback, on WebSocket from the start.

const rival = require('./rival.js');
const { Server } = rival('socket.io');
const { io } = rival('socket.io-client');

/** @type {import('./index.js').Driver} */
module.exports = {
  Promise,

  async listen() {
    const http = require('node:http').createServer();
    const server = new Server(http, { transports: ['websocket'] });
    const peers = new Map();
    const channels = new Map();
    server.on('connection', (socket) => {
      socket.on('send', (from, to, message, acknowledge) => {
        peers.get(to)(from, message);
        acknowledge();
      });
      socket.on('request', (from, to, message, reply) => reply(peers.get(to)(from, message)));
      socket.on('publish', (channel, message) => {
        for (const callback of channels.get(channel) ?? []) callback(message);
      });
    });
    await new Promise((resolve) => {
      http.listen(0, '127.0.0.1', () => resolve(undefined));
    });
    const receive = (/** @type {string} */ id, /** @type {any} */ callback) => {
      peers.set(id, callback);
    };
    return {
      address: 'http://127.0.0.1:' + /** @type {import('node:net').AddressInfo} */ (http.address()).port,
      receive,
      answer: receive,
      subscribe: (channel, callback) => {
        channels.set(channel, [...(channels.get(channel) ?? []), callback]);
      }
    };
  },

  async connect(addresses, directory) {
    const sockets = await Promise.all(
      addresses.map(async (address) => {
        const socket = io(address, { transports: ['websocket'] });
        await new Promise((resolve, reject) => {
          socket.on('connect', resolve).on('connect_error', reject);
        });
        return socket;
      })
    );
    const asked = (/** @type {string} */ event) => (/** @type {string} */ to, /** @type {any} */ message) =>
      new Promise((resolve) => {
        sockets[/** @type {number} */ (directory.get(to))].emit(event, 'sender', to, message, resolve);
      });
    return {
      send: asked('send'),
      request: asked('request'),
      publish(channel, message) {
        for (const socket of sockets) socket.emit('publish', channel, message);
      }
    };
  }
};
