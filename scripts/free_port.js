'use strict';

const net = require('node:net');

/** Ports below those that systems give to outgoing connections, which may take any of theirs at any moment. */
const FIRST = 10_000;
const LAST = 32_767;

/**
 * A port that is free, for hosts and servers that do not tell on which port they listen when they are given 0.
 * @returns {Promise<number>}
 */
function freePort() {
  return new Promise((resolve, reject) => {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    const server = net.createServer();
    server.once('error', (/** @type {NodeJS.ErrnoException} */ err) => {
      if (err.code === 'EADDRINUSE' || err.code === 'EACCES') freePort().then(resolve, reject);
      else reject(err);
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}

module.exports = freePort;
