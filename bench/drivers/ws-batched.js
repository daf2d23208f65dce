'use strict';

// What one can reach with ws and JavaScript alone, with the ideas that distribus uses: the messages of a turn go out as one
// JSON array, in runs [to, from, [message, …]] (and [null, channel, [message, …]] for publishes), and what comes back is how
// many of the messages on this socket have been handled so far.

const { WebSocket, WebSocketServer } = require('./rival.js')('ws');

const MAX_MESSAGES = 256;
const MAX_LENGTH = 64 * 1024;

/** What is collected for one socket, as JSON text. */
class Batch {
  /** @param {any} socket */
  constructor(socket) {
    this.socket = socket;
    this.text = '';
    this.count = 0;
    /** @type {string | null | undefined} */
    this.first = undefined;
    this.second = '';
    this.scheduled = false;
    this.onCheck = () => {
      this.scheduled = false;
      this.flush();
    };
  }

  /**
   * @param {string | null} first
   * @param {string} second
   * @param {string} message JSON text
   */
  add(first, second, message) {
    if (first === this.first && second === this.second) {
      this.text += ',' + message;
    } else {
      this.text +=
        (this.count === 0 ? '[[' : ']],[') + JSON.stringify(first) + ',' + JSON.stringify(second) + ',[' + message;
      this.first = first;
      this.second = second;
    }
    this.count++;
    if (this.count >= MAX_MESSAGES || this.text.length >= MAX_LENGTH) {
      this.flush();
    } else if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(this.onCheck);
    }
  }

  flush() {
    if (this.count === 0) return;
    this.socket.send(this.text + ']]]');
    this.text = '';
    this.count = 0;
    this.first = undefined;
  }
}

/** The promises of one socket that are not settled yet, in the order of their messages. */
class Pending {
  constructor() {
    /** @type {((value: null) => void)[]} */
    this.resolvers = [];
    this.settled = 0; // in all
    this.head = 0; // of those in the array
  }

  /** @param {number} handled in all */
  settle(handled) {
    for (; this.settled < handled; this.settled++) this.resolvers[this.head++](null);
    if (this.head === this.resolvers.length) {
      this.resolvers = [];
      this.head = 0;
    }
  }
}

/** @type {import('./index.js').Driver} */
module.exports = {
  Promise,

  async listen() {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const peers = new Map();
    const channels = new Map();
    server.on('connection', (socket) => {
      let handled = 0;
      socket.on('message', (data) => {
        const before = handled;
        for (const [first, second, messages] of JSON.parse(String(data))) {
          if (first === null) {
            for (const message of messages) for (const callback of channels.get(second) ?? []) callback(message);
          } else {
            const callback = peers.get(first);
            for (const message of messages) callback(second, message);
            handled += messages.length;
          }
        }
        if (handled > before) socket.send(String(handled));
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
    const links = await Promise.all(
      addresses.map(async (address) => {
        const socket = new WebSocket(address);
        const pending = new Pending();
        socket.on('message', (data) => pending.settle(Number(data)));
        await new Promise((resolve, reject) => {
          socket.on('open', resolve).on('error', reject);
        });
        return { pending, batch: new Batch(socket) };
      })
    );
    return {
      send(to, message) {
        const { pending, batch } = links[directory.get(to)];
        const promise = new Promise((resolve) => {
          pending.resolvers.push(resolve);
        });
        batch.add(to, 'sender', JSON.stringify(message));
        return promise;
      },
      publish(channel, message) {
        const text = JSON.stringify(message);
        for (const { batch } of links) batch.add(null, channel, text);
      }
    };
  }
};
