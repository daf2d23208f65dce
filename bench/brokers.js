'use strict';

const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { spawn, spawnSync } = require('node:child_process');
const freePort = require('../scripts/free_port.js');
const { commandLine, stop } = require('./process.js');

/**
 * Servers that some rivals need. They are used when the system has them; their limits on slow receivers are lifted, because
 * they would throw messages away.
 * @type {Record<string, { program: string, scheme: string, args(port: number, folder: string): string[] }>}
 */
const brokers = {
  nats: {
    program: 'nats-server',
    scheme: 'nats',
    args(port, folder) {
      const file = path.join(folder, 'nats.conf');
      fs.writeFileSync(file, `host: 127.0.0.1\nport: ${port}\nmax_pending: 2GB\nwrite_deadline: "60s"\n`);
      return ['-c', file];
    }
  },
  redis: {
    program: 'redis-server',
    scheme: 'redis',
    args: (port, folder) => [
      '--bind',
      '127.0.0.1',
      '--port',
      String(port),
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
      '--client-output-buffer-limit',
      'pubsub 0 0 0',
      '--loglevel',
      'warning'
    ]
  }
};

/** @param {string} name */
function find(name) {
  const { program } = brokers[name];
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => path.join(folder, program)).find((file) => fs.existsSync(file));
}

/** @param {string} name */
function versionOf(name) {
  const { stdout } = spawnSync(/** @type {string} */ (find(name)), ['--version'], { encoding: 'utf8' });
  return /v=?([\d.]+)/.exec(stdout)?.[1] ?? stdout.trim();
}

/**
 * Starts a server of its own for one measurement.
 * @param {string} name
 * @param {boolean} pinned
 */
async function start(name, pinned) {
  const { scheme, args } = brokers[name];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distribus-bench-'));
  const port = await freePort();
  const child = spawn(...commandLine(/** @type {string} */ (find(name)), args(port, folder), pinned), {
    stdio: 'ignore'
  });
  const onExit = () => {
    child.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', onExit);
  let failed = false;
  child
    .on('error', () => {
      failed = true;
    })
    .on('exit', () => {
      failed = true;
    });
  for (const until = Date.now() + 10000; !(await accepts(port));) {
    if (failed || Date.now() > until) throw new Error(`${brokers[name].program} does not start`);
  }
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    cpuMicros: () => cpuMicros(/** @type {number} */ (child.pid)),
    async stop() {
      process.removeListener('exit', onExit);
      await stop(child);
      onExit();
    }
  };
}

/**
 * The CPU time that a process has taken so far, or null where the system does not tell.
 * @param {number} pid
 */
function cpuMicros(pid) {
  try {
    const tasks = fs.readdirSync(`/proc/${pid}/task`);
    return tasks.reduce(
      (sum, task) => sum + Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1000,
      0
    );
  } catch {
    return null;
  }
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const done = (/** @type {boolean} */ value) => {
      socket.destroy();
      setTimeout(() => resolve(value), value ? 0 : 20);
    };
    socket.on('connect', () => done(true)).on('error', () => done(false));
  });
}

module.exports = { find, start, versionOf };
