'use strict';

// nats.js: a subscription a recipient, request and respond for what is acknowledged. JSON texts, because NATS carries bytes.

const { connect } = require('./rival.js')('@nats-io/transport-node');

/** @type {import('./index.js').Driver} */
module.exports = {
  Promise,

  async listen(broker) {
    const connection = await connect({ servers: broker });
    const serve = async (/** @type {string} */ id, /** @type {(request: any) => void} */ respond) => {
      connection.subscribe(id, {
        callback(/** @type {any} */ error, /** @type {any} */ request) {
          if (error) throw error;
          respond(request);
        }
      });
      await connection.flush();
    };
    return {
      address: null,
      receive: (id, callback) =>
        serve(id, (request) => {
          const { from, message } = request.json();
          callback(from, message);
          request.respond();
        }),
      answer: (id, callback) =>
        serve(id, (request) => {
          const { from, message } = request.json();
          request.respond(JSON.stringify(callback(from, message)));
        }),
      async subscribe(channel, callback) {
        connection.subscribe(channel, {
          callback(error, message) {
            if (error) throw error;
            callback(message.json());
          }
        });
        await connection.flush();
      }
    };
  },

  async connect(_addresses, _directory, broker) {
    const connection = await connect({ servers: broker });
    const send = (/** @type {string} */ to, /** @type {any} */ message) =>
      connection.request(to, JSON.stringify({ from: 'sender', message }), { timeout: 300000 });
    return {
      send,
      request: (to, message) => send(to, message).then((/** @type {any} */ reply) => reply.json()),
      publish: (channel, message) => connection.publish(channel, JSON.stringify(message))
    };
  }
};
