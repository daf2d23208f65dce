'use strict';
// The networks that a chaos run can have: one network namespace a host, joined by a router, where root may make them; else the loopback
// interface, without partitions.

const net = require('node:net');
const { spawnSync } = require('node:child_process');
const freePort = require('../../scripts/free_port.js');

/** Runs a command. Throws what it says when it fails. */
function run(command, ...args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim() || `exit code ${status}`}`);
  return stdout;
}

/**
 * Network namespaces with a router between them. What the router shall drop is a rule of its routing policy, for each direction: packets
 * vanish silently, as with a firewall's `drop`, but no firewall is needed.
 */
class Namespaces {
  #prefix = `chaos-${process.pid}-`;
  #router = `${this.#prefix}r`;
  #count;
  /** Rules that drop packets, 'from to', and how many faults want each. */
  #blocked = new Map();

  /** @param {number} count */
  constructor(count) {
    this.#count = count;
    Namespaces.#removeStale();
    try {
      this.#add(this.#router);
      this.#inside(this.#router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
      for (let i = 0; i < count; i++) {
        const name = this.#name(i);
        this.#add(name);
        run('ip', 'link', 'add', `to${i}`, 'netns', this.#router, 'type', 'veth', 'peer', 'name', 'out', 'netns', name);
        this.#inside(this.#router, 'ip', 'addr', 'add', `10.77.${i}.1/24`, 'dev', `to${i}`);
        this.#inside(this.#router, 'ip', 'link', 'set', `to${i}`, 'up');
        this.#inside(name, 'ip', 'addr', 'add', `${this.address(i)}/24`, 'dev', 'out');
        this.#inside(name, 'ip', 'link', 'set', 'out', 'up');
        this.#inside(name, 'ip', 'route', 'add', 'default', 'via', `10.77.${i}.1`);
      }
      // That it really drops is tried once.
      this.block(0, 1);
      this.unblock(0, 1);
    } catch (err) {
      this.close();
      throw err;
    }
  }

  describe() {
    return 'a network namespace for each host, partitions by a router between them';
  }

  canPartition = true;

  address(i) {
    return `10.77.${i}.2`;
  }

  /**
   * Ports where host `i` may listen.
   * @param {number} _
   * @param {number} count
   */
  async ports(_, count) {
    return Array.from({ length: count }, (_, n) => 7000 + n);
  }

  /** The command line that runs a command where host `i` is. */
  at(i, ...command) {
    return ['ip', 'netns', 'exec', this.#name(i), ...command];
  }

  /** From now on nothing gets from one host to another one. */
  block(from, to) {
    const key = `${from} ${to}`;
    const wanted = this.#blocked.get(key) ?? 0;
    this.#blocked.set(key, wanted + 1);
    if (wanted === 0) this.#rule('add', from, to);
  }

  unblock(from, to) {
    const key = `${from} ${to}`;
    const wanted = this.#blocked.get(key) - 1;
    this.#blocked.set(key, wanted);
    if (wanted === 0) this.#rule('del', from, to);
  }

  /** Ends the established connections of a host, or of a pair of hosts. The other side gets a reset, unless that is dropped on its way. */
  cut(i, j) {
    const [command, ...args] = this.at(
      i,
      'ss',
      '-K',
      '-H',
      '-t',
      'state',
      'established',
      ...(j === undefined ? [] : ['dst', this.address(j)])
    );
    return run(command, ...args)
      .split('\n')
      .filter((line) => line !== '').length;
  }

  close() {
    for (let i = -1; i < this.#count; i++) spawnSync('ip', ['netns', 'del', i < 0 ? this.#router : this.#name(i)]);
  }

  #name(i) {
    return this.#prefix + i;
  }

  #add(name) {
    run('ip', 'netns', 'add', name);
    this.#inside(name, 'ip', 'link', 'set', 'lo', 'up');
  }

  #inside(name, ...command) {
    return run('ip', 'netns', 'exec', name, ...command);
  }

  #rule(what, from, to) {
    this.#inside(this.#router, 'ip', 'rule', what, 'from', this.address(from), 'to', this.address(to), 'blackhole');
  }

  /** Namespaces of runs that were killed. */
  static #removeStale() {
    for (const [name, pid] of run('ip', 'netns', 'list').matchAll(/^chaos-(\d+)-\w+/gm)) {
      try {
        process.kill(Number(pid), 0);
      } catch {
        run('ip', 'netns', 'del', name);
      }
    }
  }
}

/** All hosts at 127.0.0.1. */
class Loopback {
  #ports = [];

  describe() {
    return 'the loopback interface';
  }

  canPartition = false;

  address() {
    return '127.0.0.1';
  }

  async ports(i, count) {
    this.#ports[i] = [];
    for (let n = 0; n < count; n++) this.#ports[i].push(await freePort());
    return this.#ports[i];
  }

  at(i, ...command) {
    return command;
  }

  /** Ends the established connections that a host has accepted: one of the pair is as good as the other. */
  cut(i) {
    const either = this.#ports[i].flatMap((port) => ['or', 'sport', '=', `:${port}`, 'or', 'dport', '=', `:${port}`]);
    return run('ss', '-K', '-H', '-t', 'state', 'established', '(', ...either.slice(1), ')')
      .split('\n')
      .filter((line) => line !== '').length;
  }

  close() {}
}

/**
 * The best network that this machine allows, and what it does not allow.
 * @param {number} count
 * @param {boolean} namespaces whether to try
 */
async function open(count, namespaces) {
  const missing = [];
  let network;
  if (namespaces) {
    try {
      network = new Namespaces(count);
    } catch (err) {
      missing.push(`partitions (${err.message})`);
    }
  } else missing.push('partitions (not wanted)');
  const cut = await whyNoCuts();
  if (cut !== null) missing.push(`cut connections (${cut})`);
  return { network: network ?? new Loopback(), canCut: cut === null, missing };
}

/** Tries `ss -K` on a connection. Many kernels and users cannot; it says nothing then. */
async function whyNoCuts() {
  const server = net.createServer((socket) => socket.on('error', () => {}));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  const socket = net.connect(port, '127.0.0.1');
  try {
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const ended = new Promise((resolve) => {
      socket.on('error', () => {}).once('close', () => resolve(null));
      setTimeout(() => resolve('ss -K has no effect here'), 1000).unref();
    });
    run('ss', '-K', '-H', '-t', 'state', 'established', 'dport', '=', `:${port}`);
    return await ended;
  } catch (err) {
    return err.message;
  } finally {
    socket.destroy();
    server.close();
  }
}

module.exports = { open };
