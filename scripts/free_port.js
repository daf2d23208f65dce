'use strict';

const net = require('node:net');

/**
 * A port that was free a moment ago, for hosts and servers that do not tell on which port they listen when they are given 0.
 * @returns {Promise<number>}
 */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

module.exports = freePort;
