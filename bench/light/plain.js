'use strict';

// The subscriber of drivers/ws.js: a JSON text a message.

const { connect } = require('./websocket.js');

/**
 * @param {string} url
 * @param {string} wanted the channel
 * @param {(message: any) => void} callback
 */
module.exports = async function subscribe(url, wanted, callback) {
  const connection = await connect(url);
  connection.onMessage = (_opcode, payload) => {
    const { channel, message } = JSON.parse(payload.toString('latin1'));
    if (channel === wanted) callback(message);
  };
};
