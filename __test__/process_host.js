'use strict';

const path = require('node:path');
const { fork } = require('node:child_process');

/** A host in a process of its own, which can be frozen and killed. */
class ProcessHost {
  /**
   * @param {string} url to join
   * @param {any} options of the host
   */
  constructor(url, options) {
    this.child = fork(path.join(__dirname, 'cast', 'host.js'), [JSON.stringify({ url, options })]);
    this.waiting = new Map();
    this.next = 1;
    this.child.on('message', ({ number, value, error }) => {
      const { resolve, reject } = this.waiting.get(number);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    });
    this.joined = new Promise((resolve, reject) => this.waiting.set(0, { resolve, reject }));
  }

  /**
   * Runs the body of an async function there, with `host` and `state` at hand.
   * @param {string} code
   */
  run(code) {
    const number = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.child.send({ number, code });
    });
  }

  freeze() {
    this.child.kill('SIGSTOP');
  }

  thaw() {
    this.child.kill('SIGCONT');
  }

  kill() {
    this.child.kill('SIGKILL');
  }
}

/**
 * A host in another process that has joined that url; it ends with the test.
 * @param {any} t the test's context
 * @param {string} url
 * @param {any} [options]
 */
async function processHost(t, url, options = {}) {
  const host = new ProcessHost(url, options);
  t.after(() => host.kill());
  await host.joined;
  return host;
}

module.exports = processHost;
