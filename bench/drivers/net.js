'use strict';

// No more than a socket: the text of a message, and the same bytes back when the callback has returned. One message at a time,
// short enough to come in one piece, to one recipient. A limit for what runs on the sockets of Node.js.

const net = require('node:net');
const { once } = require('node:events');

/** @type {import('./index.js').Driver} */
module.exports = {
  Promise,

  async listen() {
    /** @type {(from: string, message: any) => void} */
    let receiver = () => {};
    const server = net.createServer({ noDelay: true }, (socket) => {
      socket.on('data', (data) => {
        receiver('sender', data.toString('latin1'));
        socket.write(data);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return {
      address: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
      receive: (_id, callback) => {
        receiver = callback;
      },
      subscribe() {
        throw new Error('There are no channels');
      }
    };
  },

  async connect([port]) {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    /** @type {(value: null) => void} */
    let settle;
    socket.on('data', () => settle(null));
    return {
      send: (_to, message) =>
        new Promise((resolve) => {
          settle = resolve;
          socket.write(message, 'latin1');
        }),
      publish() {
        throw new Error('There are no channels');
      }
    };
  }
};
