'use strict';

// What one writes first: a JSON text frame a message, {id, from, to, message}, and {id} back when the callback has returned.

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
        callback(from, message);
        socket.send(JSON.stringify({ id }));
      });
    });
    await new Promise((resolve) => {
      server.on('listening', resolve);
    });
    return {
      address: 'ws://127.0.0.1:' + server.address().port,
      receive: (id, callback) => {
        peers.set(id, callback);
      },
      subscribe: (channel, callback) => {
        channels.set(channel, [...(channels.get(channel) ?? []), callback]);
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
          const { id, error } = JSON.parse(String(data));
          const { resolve, reject } = pending.get(id);
          pending.delete(id);
          if (error === undefined) resolve(null);
          else reject(new Error(error));
        });
        await new Promise((resolve, reject) => {
          socket.on('open', resolve).on('error', reject);
        });
        return socket;
      })
    );
    return {
      send: (to, message) =>
        new Promise((resolve, reject) => {
          const id = ++lastId;
          pending.set(id, { resolve, reject });
          sockets[directory.get(to)].send(JSON.stringify({ id, from: 'sender', to, message }));
        }),
      publish(channel, message) {
        const text = JSON.stringify({ channel, message });
        for (const socket of sockets) socket.send(text);
      }
    };
  }
};
