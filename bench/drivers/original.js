'use strict';

/** The original does not tell on which port it listens when it is given 0. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = require('node:net').createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

module.exports = require('./distribus.js')(require('distribus-original'), freePort);
