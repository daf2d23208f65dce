'use strict';

// nats.js: a subscription a recipient, request and respond for what is acknowledged. JSON texts, because NATS carries bytes.

const { connect } = require('./rival.js')('@nats-io/transport-node');

/** @type {import('./index.js').Driver} */
module.exports = {
  Promise,

  async listen(broker) {
    const connection = await connect({ servers: broker });
    return {
      address: null,
      async receive(id, callback) {
        connection.subscribe(id, {
          callback(error, request) {
            if (error) throw error;
            const { from, message } = request.json();
            callback(from, message);
            request.respond();
          }
        });
        await connection.flush();
      },
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
    return {
      send: (to, message) => connection.request(to, JSON.stringify({ from: 'sender', message }), { timeout: 300000 }),
      publish: (channel, message) => connection.publish(channel, JSON.stringify(message))
    };
  }
};
