'use strict';

// npm run autobahn: the cases 1 to 7 and 10 of the Autobahn test suite, against both sides of our WebSockets. It is no part of `npm test`,
// because the suite needs a Python 2.7 (`PYTHON2`, or `python2.7` on the path), and is installed anew, in a temporary directory, each time.

const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const { createInterface } = require('node:readline');
const freePort = require('./free_port');

const root = path.join(__dirname, '..');
const reports = path.join(root, 'target', 'autobahn');
const AGENT = 'distribus';
const CASES = ['1.*', '2.*', '3.*', '4.*', '5.*', '6.*', '7.*', '10.*'];
/** So many cases that is. */
const COUNT = 247;
const MINUTES = 60_000;

/** The last one that can be installed in a Python 2.7. */
const VIRTUALENV = 'virtualenv==20.15.1';

/** What goes without a stack. */
class Failure extends Error {}

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'distribus-autobahn-'));
const log = path.join(temporary, 'log');
process.on('exit', () => {
  for (const child of running) child.kill();
  fs.rmSync(temporary, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

main().catch((err) => {
  console.error(err instanceof Failure ? err.message : err);
  process.exit(1);
});

async function main() {
  const wstest = install(python());
  execute('cargo', ['build', '--quiet', '--locked', '-p', 'distribus-net', '--example', 'autobahn']);
  fs.rmSync(reports, { recursive: true, force: true });
  fs.mkdirSync(reports, { recursive: true });
  await testServer(wstest);
  await testClient(wstest);
  const failed = [judge('server'), judge('client')].reduce((sum, n) => sum + n);
  console.log(`The reports are in ${path.relative(process.cwd(), reports)}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function python() {
  const command = process.env.PYTHON2 || 'python2.7';
  const { stdout, status } = spawnSync(command, ['-c', 'import sys; print(sys.version_info[:2] == (2, 7))'], {
    encoding: 'utf8'
  });
  if (status !== 0 || stdout.trim() !== 'True') {
    throw new Failure(`Not run: the Autobahn test suite needs Python 2.7, and ${command} is none. Set PYTHON2 to one.`);
  }
  return command;
}

/**
 * @param {string} python
 * @returns {string} the suite's program
 */
function install(python) {
  console.log('Installing the Autobahn test suite');
  const tool = path.join(temporary, 'virtualenv');
  const venv = path.join(temporary, 'venv');
  const pip = ['-m', 'pip', '--quiet', '--disable-pip-version-check', 'install'];
  execute(python, [...pip, '--target', tool, VIRTUALENV]);
  execute(python, ['-m', 'virtualenv', '--quiet', venv], { PYTHONPATH: tool });
  const programs = path.join(venv, process.platform === 'win32' ? 'Scripts' : 'bin');
  execute(path.join(programs, 'python'), [...pip, '-r', path.join(__dirname, 'autobahn', 'requirements.txt')]);
  return path.join(programs, 'wstest');
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
function execute(command, args, env) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 10 * MINUTES
  });
  if (status !== 0) throw new Failure(`${command} ${args.join(' ')} failed\n${error?.message ?? stdout + stderr}`);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').StdioOptions} stdio
 */
function start(command, args, stdio) {
  const child = spawn(command, args, { cwd: root, stdio });
  running.add(child);
  const ended = once(child, 'exit').then(([code]) => {
    running.delete(child);
    return code;
  });
  return { child, ended };
}

/** @param {string[]} args */
function ours(...args) {
  return start(
    'cargo',
    ['run', '--quiet', '--locked', '-p', 'distribus-net', '--example', 'autobahn', '--', ...args],
    ['pipe', 'pipe', 'inherit']
  );
}

/**
 * @param {string} wstest
 * @param {'fuzzingclient' | 'fuzzingserver'} mode
 * @param {object} spec
 */
function theirs(wstest, mode, spec) {
  const file = path.join(temporary, `${mode}.json`);
  fs.writeFileSync(file, JSON.stringify({ ...spec, cases: CASES, 'exclude-cases': [], 'exclude-agent-cases': {} }));
  const output = fs.openSync(log, 'a');
  const started = start(wstest, ['-m', mode, '-s', file, '-u', '0'], ['ignore', output, output]);
  fs.closeSync(output);
  return started;
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {string} what
 * @returns {Promise<T>}
 */
async function within(promise, what) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Failure(`${what} took too long\n${tail()}`)), 10 * MINUTES);
  });
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, late]));
  } finally {
    clearTimeout(timer);
  }
}

function tail() {
  return fs.existsSync(log) ? fs.readFileSync(log, 'utf8').split('\n').slice(-20).join('\n') : '';
}

/** @param {string} wstest */
async function testServer(wstest) {
  console.log('Testing as server');
  const server = ours('serve');
  const [url] = await within(
    once(createInterface({ input: /** @type {import('node:stream').Readable} */ (server.child.stdout) }), 'line'),
    'The start of our server'
  );
  const { ended } = theirs(wstest, 'fuzzingclient', {
    outdir: path.join(reports, 'server'),
    servers: [{ agent: AGENT, url }]
  });
  const code = await within(ended, 'The test of our server');
  if (code !== 0) throw new Failure(`wstest ended with ${code}\n${tail()}`);
  server.child.stdin?.end();
  if ((await within(server.ended, 'The end of our server')) !== 0) throw new Failure('Our server failed');
}

/** @param {string} wstest */
async function testClient(wstest) {
  console.log('Testing as client');
  const port = await freePort();
  const url = `ws://127.0.0.1:${port}`;
  const suite = theirs(wstest, 'fuzzingserver', { outdir: path.join(reports, 'client'), url });
  const died = suite.ended.then((code) => {
    throw new Failure(`wstest ended with ${code}\n${tail()}`);
  });
  died.catch(() => {});
  await within(Promise.race([listening(port), died]), "The start of the suite's server");
  const client = ours('dial', url, AGENT);
  if ((await within(Promise.race([client.ended, died]), 'The test of our client')) !== 0)
    throw new Failure(`Our client failed\n${tail()}`);
  suite.child.kill();
  await within(suite.ended, "The end of the suite's server");
}

/** @param {number} port */
async function listening(port) {
  for (;;) {
    const socket = net.connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      socket.destroy();
    }
  }
}

/**
 * Prints what came of a role.
 * @param {'server' | 'client'} role
 * @returns {number} how many cases failed
 */
function judge(role) {
  /** @type {Record<string, { behavior: string, behaviorClose: string }>} */
  const cases = JSON.parse(fs.readFileSync(path.join(reports, role, 'index.json'), 'utf8'))[AGENT] ?? {};
  const all = Object.entries(cases).map(([id, { behavior, behaviorClose }]) => {
    // A wrong or unclean end is a failure as well, whatever the suite thinks of the rest.
    const passed = ['OK', 'NON-STRICT', 'INFORMATIONAL'];
    const failed = [behavior, behaviorClose].find((word) => !passed.includes(word));
    return { id, result: failed === undefined ? behavior : 'FAILED', why: failed };
  });
  const count = (/** @type {string} */ result) => all.filter((one) => one.result === result).length;
  const words = ['OK', 'NON-STRICT', 'INFORMATIONAL', 'FAILED'].map((result) => `${count(result)} ${result}`);
  console.log(`${role}: ${all.length} cases, ${words.join(', ')}`);
  for (const { id, result, why } of all) {
    if (result === 'FAILED') console.log(`  FAILED  ${id}: ${why}`);
  }
  if (all.length !== COUNT) throw new Failure(`There should be ${COUNT} cases`);
  return count('FAILED');
}
