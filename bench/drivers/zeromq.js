'use strict';

// DEALER and ROUTER with an acknowledgement a message, PUB and SUB. No high-water marks: PUB would drop messages at them.

const { Dealer, Publisher, Router, Subscriber } = require('./rival.js')('zeromq');

const OUT = { sendHighWaterMark: 0 };
const IN = { receiveHighWaterMark: 0 };

/** A socket of zeromq takes one send at a time. */
class Outbox {
  /** @param {any} socket */
  constructor(socket) {
    this.socket = socket;
    /** @type {any[]} */
    this.waiting = [];
    this.busy = false;
  }

  /** @param {any} frames */
  push(frames) {
    this.waiting.push(frames);
    if (!this.busy) this.drain();
  }

  async drain() {
    this.busy = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      for (const frames of batch) await this.socket.send(frames);
    }
    this.busy = false;
  }
}

/** @type {import('./index.js').Driver} */
module.exports = {
  Promise,

  async listen() {
    const router = new Router({ ...OUT, ...IN });
    const subscriber = new Subscriber(IN);
    await router.bind('tcp://127.0.0.1:*');
    await subscriber.bind('tcp://127.0.0.1:*');
    const replies = new Outbox(router);
    const peers = new Map();
    const channels = new Map();
    const serve = async () => {
      for await (const [identity, frame] of router) {
        const { id, from, to, message } = JSON.parse(String(frame));
        peers.get(to)(from, message);
        replies.push([identity, String(id)]);
      }
    };
    const hear = async () => {
      for await (const [channel, frame] of subscriber) {
        const message = JSON.parse(String(frame));
        for (const callback of channels.get(String(channel)) ?? []) callback(message);
      }
    };
    serve();
    hear();
    return {
      address: [router.lastEndpoint, subscriber.lastEndpoint],
      receive: (id, callback) => {
        peers.set(id, callback);
      },
      subscribe(channel, callback) {
        channels.set(channel, [...(channels.get(channel) ?? []), callback]);
        subscriber.subscribe(channel);
      }
    };
  },

  async connect(addresses, directory) {
    const pending = new Map();
    let lastId = 0;
    const publisher = new Publisher(OUT);
    const publishes = new Outbox(publisher);
    const dealers = addresses.map(([router, subscriber]) => {
      publisher.connect(subscriber);
      const dealer = new Dealer({ ...OUT, ...IN });
      dealer.connect(router);
      const settle = async () => {
        for await (const [frame] of dealer) {
          const id = Number(frame);
          pending.get(id)(null);
          pending.delete(id);
        }
      };
      settle();
      return new Outbox(dealer);
    });
    return {
      send: (to, message) =>
        new Promise((resolve) => {
          const id = ++lastId;
          pending.set(id, resolve);
          dealers[directory.get(to)].push(JSON.stringify({ id, from: 'sender', to, message }));
        }),
      publish: (channel, message) => publishes.push([channel, JSON.stringify(message)])
    };
  }
};
