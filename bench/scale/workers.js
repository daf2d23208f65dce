'use strict';

const path = require('node:path');
const { execSync, fork } = require('node:child_process');
const { Side } = require('../process.js');

/** How many files, and so sockets, one process may have open. */
function openFiles() {
  if (process.platform === 'win32') return 16384;
  const limit = execSync('ulimit -n', { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? 1048576 : Number(limit);
}

/** Processes of worker.js. */
class Workers {
  /** @param {number} count */
  constructor(count) {
    this.sides = Array.from({ length: count }, (_, n) => {
      const child = fork(path.join(__dirname, 'worker.js'), {
        execArgv: ['--expose-gc'],
        stdio: ['ignore', 'inherit', 'pipe', 'ipc']
      });
      const side = new Side(`worker ${n}`, child, (message) => {
        child.send(message, () => {});
      });
      child.on('message', (message) => side.replied(message));
      return side;
    });
  }

  /**
   * The replies of all workers.
   * @param {string} command
   * @param {any} [argument] for all of them, or a function of a worker's number
   * @returns {Promise<any[]>}
   */
  all(command, argument) {
    return Promise.all(
      this.sides.map((side, n) => side.call(command, typeof argument === 'function' ? argument(n) : argument))
    );
  }

  stop() {
    return Promise.all(this.sides.map((side) => side.stop()));
  }
}

module.exports = { Workers, openFiles };
