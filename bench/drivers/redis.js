'use strict';

// Redis has no acknowledgement by the receiver (PUBLISH tells how many it was handed to), so that one is made by hand: the
// receiver publishes the id of what it has handled.

const { createClient } = require('./rival.js')('redis');

const REPLIES = 'sender:replies';

/** @param {string | undefined} broker */
async function client(broker) {
  const made = createClient({ url: broker });
  made.on('error', (/** @type {Error} */ error) => {
    throw error;
  });
  await made.connect();
  return made;
}

/** @type {import('./index.js').Driver} */
module.exports = {
  Promise,

  async listen(broker) {
    const [incoming, outgoing] = await Promise.all([client(broker), client(broker)]);
    return {
      address: null,
      receive: (id, callback) =>
        incoming.subscribe(id, (/** @type {string} */ text) => {
          const { id, from, message } = JSON.parse(text);
          callback(from, message);
          outgoing.publish(REPLIES, String(id));
        }),
      subscribe: (channel, callback) =>
        incoming.subscribe(channel, (/** @type {string} */ text) => callback(JSON.parse(text)))
    };
  },

  async connect(_addresses, _directory, broker) {
    const [incoming, outgoing] = await Promise.all([client(broker), client(broker)]);
    const pending = new Map();
    let lastId = 0;
    await incoming.subscribe(REPLIES, (/** @type {string} */ text) => {
      const id = Number(text);
      pending.get(id)(null);
      pending.delete(id);
    });
    return {
      send: (to, message) =>
        new Promise((resolve) => {
          const id = ++lastId;
          pending.set(id, resolve);
          outgoing.publish(to, JSON.stringify({ id, from: 'sender', message }));
        }),
      publish: (channel, message) => {
        outgoing.publish(channel, JSON.stringify(message));
      }
    };
  }
};
