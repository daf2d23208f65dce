'use strict';
// The host processes of a chaos run: starting, stopping, talking to them.

const fs = require('node:fs');
const path = require('node:path');
const { EventEmitter, once } = require('node:events');
const { spawn } = require('node:child_process');
const Random = require('./random.js');

/**
 * One host through all its lives.
 */
class Actor extends EventEmitter {
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;
  #config;
  #network;
  #killed = false;
  life = 0;
  /** Its url, if it listens, and its id, as it has said. @type {{url: string | null, id: string} | null} */
  here = null;
  /** All processes so far: what the checker wants to know of them. */
  processes = [];

  /**
   * @param {number} index
   * @param {any} config what all hosts are told, see host.js
   * @param {any} network
   */
  constructor(index, config, network) {
    super();
    this.index = index;
    this.name = `h${index}`;
    this.#config = config;
    this.#network = network;
  }

  get process() {
    return `${this.name}.${this.life}`;
  }

  /** Starts the next life. */
  start() {
    this.life++;
    this.#killed = false;
    const { name, life, index } = this;
    const logFile = path.join(this.#config.folder, `${this.process}.log`);
    const process = { name: this.process, host: name, life, killed: false, last: false, logFile };
    this.processes.push(process);
    fs.writeFileSync(logFile, '');
    const { names, seed, options } = this.#config;
    const [place, worker] = [this.#place(), index % 2 === 1];
    const address = this.#network.address(index);
    const told = { name, life, address, place, names, seed, logFile, options, native: life % 2 === 0, worker };
    this.here = null;
    const [command, ...args] = this.#network.at(
      index,
      globalThis.process.execPath,
      path.join(__dirname, 'host.js'),
      JSON.stringify(told)
    );
    // Both ways to read sockets take part, where there are two.
    const env = { ...globalThis.process.env };
    if ((index + life) % 2 === 0) env.DISTRIBUS_IO = 'portable';
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#child = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data) => {
        output += data;
      });
    child.on('message', (message) => {
      if (message.here !== undefined && this.#child === child) {
        this.here = message.here;
        this.emit('here');
      }
      this.emit('message', message);
    });
    child.on('error', (err) => this.emit('trouble', `${process.name}: ${err.message}`));
    child.once('close', (code, signal) => {
      process.killed = this.#killed;
      if (output !== '') this.emit('trouble', `${process.name} said: ${output.slice(0, 2000)}`);
      if (!this.#killed && code !== 0)
        this.emit('trouble', `${process.name} ended by itself, with exit code ${code}, signal ${signal}`);
      if (this.#child === child) this.#child = null;
    });
  }

  /** Where this life listens and when, in ms after its start: mostly where the one before did, and at once. */
  #place() {
    const random = new Random(`${this.#config.seed} ${this.process} place`);
    const shared = this.#network.canPartition && this.index >= this.#config.names.length - 2 && random.chance(0.5);
    const ports = this.#config.ports[this.index];
    if (!this.#config.wide) return { port: ports[0], shared: false, after: 0 };
    const port = random.chance(0.3) ? random.pick(ports) : ports[0];
    return { port, shared, after: this.index > 0 && random.chance(0.25) ? random.between(1, 6000) : 0 };
  }

  /** Another port than the one where it listens now, or none. */
  otherPort(random) {
    const ports = this.#config.ports[this.index];
    const free = ports.filter((port) => !this.here?.url?.endsWith(`:${port}`));
    return this.here?.url ? random.pick(free) : null;
  }

  /** @param {any} command see host.js */
  tell(command) {
    // The process may be gone, which is told by 'trouble'.
    if (this.#child?.connected) this.#child.send(command, () => {});
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.#child?.kill(signal);
  }

  async kill() {
    const child = this.#child;
    if (child === null) return;
    this.#killed = true;
    child.kill('SIGKILL');
    await closed(child);
  }

  /** Lets it say goodbye and end. One that does not within `ms` is trouble, and killed. */
  async end(ms, way = 'end') {
    const child = this.#child;
    if (child === null) return;
    const timer = setTimeout(() => {
      this.emit('trouble', `${this.process} did not end within ${ms} ms`);
      this.kill();
    }, ms);
    this.tell({ do: way });
    await closed(child);
    clearTimeout(timer);
  }
}

/** @param {import('node:child_process').ChildProcess} child */
async function closed(child) {
  if (child.stdout?.closed && child.stderr?.closed && (child.exitCode !== null || child.signalCode !== null)) return;
  await once(child, 'close');
}

/**
 * Waits until all have said something.
 * @param {Actor[]} actors
 * @param {any} command
 * @param {(message: any) => any} answer what counts as the answer: the first that is not undefined
 * @param {number} ms how long to wait
 * @returns {Promise<Map<Actor, any>>} the answers of those that gave one in time
 */
async function ask(actors, command, answer, ms) {
  const answers = new Map();
  await Promise.race([
    new Promise((resolve) => setTimeout(resolve, ms).unref()),
    Promise.all(
      actors.map(
        (actor) =>
          new Promise((resolve) => {
            const listener = (message) => {
              const value = answer(message);
              if (value === undefined) return;
              actor.off('message', listener);
              answers.set(actor, value);
              resolve(undefined);
            };
            actor.on('message', listener);
            actor.tell(command);
          })
      )
    )
  ]);
  return answers;
}

module.exports = { Actor, ask };
