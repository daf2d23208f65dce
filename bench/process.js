'use strict';

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { spawn } = require('node:child_process');

const TIMEOUT = 300000;

/** An interrupted benchmark ends as any other does, so that nothing that it has started is left behind. */
function endOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
}

/** The core that pinned processes share: the first that this one may use. */
function firstCore() {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  return /** @type {RegExpExecArray} */ (/^Cpus_allowed_list:\s*(\d+)/m.exec(status))[1];
}

/**
 * A command line, on one core if it is to be pinned.
 * @param {string} command
 * @param {string[]} args
 * @param {boolean} pinned
 * @returns {[string, string[]]}
 */
function commandLine(command, args, pinned) {
  return pinned ? ['taskset', ['-c', firstCore(), command, ...args]] : [command, args];
}

/** A measured process that answers commands, one reply each. */
class Side {
  /**
   * @param {string} title for error messages
   * @param {import('node:child_process').ChildProcess} child
   * @param {(message: any) => void} write hands a command over
   */
  constructor(title, child, write) {
    this.title = title;
    this.child = child;
    this.write = write;
    this.lastId = 0;
    this.stopped = false;
    /** @type {Error | null} */
    this.failure = null;
    /** @type {(error: Error) => void} told of a failure, even when no command is under way */
    this.onFailure = () => {};
    this.complaints = '';
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.complaints = (this.complaints + text).slice(-2000);
    });
    /** @type {Map<number, { resolve(value: any): void, reject(error: Error): void, timer: NodeJS.Timeout }>} */
    this.calls = new Map();
    child.on('error', (error) => this.fail(error));
    child.on('exit', (code, signal) => this.fail(new Error(`${title} ended by itself (${signal ?? code})`)));
  }

  /**
   * A process of side.js.
   * @param {string} title
   * @param {boolean} pinned
   * @param {{ nodeArguments: string[], verbose: boolean }} options
   */
  static node(title, pinned, { nodeArguments, verbose }) {
    const args = [...nodeArguments, path.join(__dirname, 'side.js')];
    const errors = verbose ? 'inherit' : 'pipe'; // one that times out can complain a hundred thousand times
    const child = spawn(...commandLine(process.execPath, args, pinned), {
      stdio: ['ignore', 'inherit', errors, 'ipc']
    });
    const side = new Side(title, child, (message) => {
      child.send(message, () => {});
    });
    child.on('message', (message) => side.replied(message));
    return side;
  }

  /**
   * A program that reads commands as lines of words and answers each with a line of JSON.
   * @param {string} title
   * @param {boolean} pinned
   * @param {string} command
   * @param {string[]} args
   */
  static program(title, pinned, command, args) {
    const child = spawn(...commandLine(command, args, pinned), { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {}); // the exit is what counts
    const side = new Side(title, child, ({ id, command, argument }) => {
      child.stdin.write([id, command, ...Object.values(argument)].join(' ') + '\n');
    });
    readline.createInterface({ input: child.stdout }).on('line', (line) => side.replied(JSON.parse(line)));
    return side;
  }

  /** A process that does nothing but keep the core busy that pinned processes share. */
  static async busy() {
    const side = Side.program('the busy process', true, process.execPath, [path.join(__dirname, 'spin.js')]);
    await side.call('spin');
    return side;
  }

  /**
   * @param {string} command
   * @param {any} [argument]
   * @returns {Promise<any>}
   */
  call(command, argument = {}) {
    return new Promise((resolve, reject) => {
      if (this.failure !== null) return reject(this.failure);
      const id = ++this.lastId;
      const timer = setTimeout(
        () => this.fail(new Error(`${this.title} did not answer "${command}" in ${TIMEOUT / 1000} s`)),
        TIMEOUT
      );
      this.calls.set(id, { resolve, reject, timer });
      this.write({ id, command, argument });
    });
  }

  /** @param {any} reply */
  replied({ id, result, error }) {
    const call = this.calls.get(id);
    if (call === undefined) return;
    this.calls.delete(id);
    clearTimeout(call.timer);
    if (error === undefined) call.resolve(result);
    else call.reject(new Error(`${this.title}: ${error}`));
  }

  /** @param {Error} error */
  fail(error) {
    if (this.stopped || this.failure !== null) return;
    if (this.complaints !== '') error.message += `\nIt said at last:\n${this.complaints}`;
    for (const { reject, timer } of this.calls.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.calls.clear();
    this.failure = error;
    this.onFailure(error);
  }

  stop() {
    this.stopped = true;
    for (const { timer } of this.calls.values()) clearTimeout(timer);
    return stop(this.child);
  }
}

/**
 * Ends a process, and waits until it has ended: what it still does must not disturb the next.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<void>}
 */
function stop(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

module.exports = { Side, commandLine, endOnSignals, stop };
