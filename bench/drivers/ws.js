'use strict';

// What one writes first: a JSON text frame a message, {id, from, to, message}, and {id} back when the callback has returned,
// with what it has returned, if that is something.

const { WebSocket, WebSocketServer } = require('./rival.js')('ws');

/** @type {import('./index.js').Driver} */
module.exports = {
  Promise,

  async listen() {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const peers = new Map();
    const channels = new Map();
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        const { id, from, to, channel, message } = JSON.parse(String(data));
        if (id === undefined) {
          for (const callback of channels.get(channel) ?? []) callback(message);
          return;
        }
        const callback = peers.get(to);
        if (callback === undefined) {
          socket.send(JSON.stringify({ id, error: 'No such peer' }));
          return;
        }
        socket.send(JSON.stringify({ id, message: callback(from, message) }));
      });
    });
    await new Promise((resolve) => {
      server.on('listening', resolve);
    });
    const receive = (/** @type {string} */ id, /** @type {any} */ callback) => {
      peers.set(id, callback);
    };
    return {
      address: 'ws://127.0.0.1:' + server.address().port,
      receive,
      answer: receive,
      subscribe: (channel, callback) => {
        channels.set(channel, [...(channels.get(channel) ?? []), callback]);
      }
    };
  },

  async hub() {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => {
      server.on('listening', resolve);
    });
    return {
      address: { url: 'ws://127.0.0.1:' + server.address().port, light: 'plain' },
      publish(channel, message) {
        const text = JSON.stringify({ channel, message });
        for (const socket of server.clients) socket.send(text);
      }
    };
  },

  async connect(addresses, directory) {
    const pending = new Map();
    let lastId = 0;
    const sockets = await Promise.all(
      addresses.map(async (address) => {
        const socket = new WebSocket(address);
        socket.on('message', (data) => {
          const { id, error, message } = JSON.parse(String(data));
          const { resolve, reject } = pending.get(id);
          pending.delete(id);
          if (error === undefined) resolve(message);
          else reject(new Error(error));
        });
        await new Promise((resolve, reject) => {
          socket.on('open', resolve).on('error', reject);
        });
        return socket;
      })
    );
    const send = (/** @type {string} */ to, /** @type {any} */ message) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        pending.set(id, { resolve, reject });
        sockets[directory.get(to)].send(JSON.stringify({ id, from: 'sender', to, message }));
      });
    return {
      send,
      request: send,
      publish(channel, message) {
        const text = JSON.stringify({ channel, message });
        for (const socket of sockets) socket.send(text);
      }
    };
  }
};
