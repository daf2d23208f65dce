'use strict';

const net = require('node:net');
const { spawn } = require('node:child_process');

const LISTEN = `const server = require('node:net').createServer().listen({ host: process.argv[1], port: Number(process.argv[2]), backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
})`;

/** Whether somebody accepts a connection there, within a moment; or the kernel does for him. */
function connects(address, port, sockets) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, address);
    sockets.push(socket);
    const silence = setTimeout(() => resolve(false), 300);
    socket
      .once('connect', () => resolve(true))
      .once('error', reject)
      .once('close', () => clearTimeout(silence));
  });
}

/**
 * Makes an address silent: it neither accepts nor refuses connections. Somebody listens there, takes none in, and the kernel's queue is full.
 * @param {any} t the test's context, or what has an `after`: then everything is gone
 * @param {string} address
 * @param {number} [port]
 * @returns {Promise<number>} the port
 */
async function silent(t, address, port = 0) {
  const listener = spawn(process.execPath, ['-e', LISTEN, address, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit']
  });
  /** @type {net.Socket[]} */
  const sockets = [];
  t.after(() => {
    listener.kill('SIGKILL');
    for (const socket of sockets) socket.on('error', () => {}).destroy();
  });
  const bound = Number(await new Promise((resolve) => listener.stdout.once('data', resolve)));
  while (await connects(address, bound, sockets));
  return bound;
}

module.exports = silent;
