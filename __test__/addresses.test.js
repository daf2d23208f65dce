'use strict';
// Names with several addresses, some of which do not answer.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { ours } = require('./support.js');
const silent = require('./silent.js');

const options = { timeout: 60_000 };

/** Runs code with these names of hosts, for itself alone: `Host`, `silent` and `t` are at hand, and what it returns is what this returns. */
function within(hosts, code) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'distribus-'));
  const file = path.join(directory, 'hosts');
  fs.writeFileSync(file, hosts);
  const text = `const { Host } = require(${JSON.stringify(path.join(__dirname, '..'))});
    const silent = require(${JSON.stringify(path.join(__dirname, 'silent.js'))});
    const ends = []; const t = { after: (end) => ends.push(end) };
    (async () => { ${code} })().catch(String).then((value) => { console.log(JSON.stringify(value)); }).finally(() => { for (const end of ends) end(); process.exit(); });`;
  const mount = 'mount --bind "$0" /etc/hosts && exec "$@"';
  const args = ['--mount', 'sh', '-c', mount, file, process.execPath, '-e', text];
  const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 40_000 });
  fs.rmSync(directory, { recursive: true });
  assert.strictEqual(stderr, '');
  return JSON.parse(stdout);
}

/** Names can be given to addresses here, and there is IPv6. */
const canName =
  process.platform === 'linux' &&
  spawnSync('unshare', ['--mount', 'mount', '--bind', '/etc/hosts', '/etc/hosts']).status === 0 &&
  Object.values(os.networkInterfaces())
    .flat()
    .some((i) => i.address === '::1');
const named = { ...options, skip: !canName };

test('a name whose first address is silent is joined by its second one', named, () => {
  const result = within(
    '::1 two.example\n127.0.0.1 two.example\n',
    `
    const a = new Host(); const b = new Host({ handshakeTimeout: 30000 });
    await a.listen('127.0.0.1', 0);
    await silent(t, '::1', a.port);
    const start = performance.now();
    await b.join('ws://two.example:' + a.port);
    a.create('a');
    return [await b.send('b', 'a', 1), performance.now() - start < 15000];`
  );
  assert.deepStrictEqual(result, [null, true]);
});

test('the error about a name with several addresses tells how each failed', named, () => {
  const [refused, late] = within(
    '::1 two.example\n127.0.0.1 two.example\n',
    `
    const port = await silent(t, '::1');
    const facts = ({ message, code, errors }) => ({ message, code, errors: errors?.map(({ message, code, syscall, address, port }) => [message, code, syscall, address, port]) });
    const free = new Host(); await free.listen('localhost', 0); const unused = free.port; await free.close();
    const joined = (port) => new Host({ handshakeTimeout: 900 }).join('two.example', port).catch(facts);
    const [refused, late] = [await joined(unused), await joined(port)];
    for (const one of [refused, late]) for (const error of one.errors) error[4] = error[4] === unused || error[4] === port;
    late.message = late.message.replace(port, 'PORT');
    return [refused, late];`
  );
  const each = (codes) =>
    [
      ['::1', codes[0]],
      ['127.0.0.1', codes[1]]
    ].map(([address, code]) => [`connect ${code}`, code, 'connect', address, true]);
  assert.deepStrictEqual(refused, {
    message: 'connect ECONNREFUSED',
    code: 'ECONNREFUSED',
    errors: each(['ECONNREFUSED', 'ECONNREFUSED'])
  });
  assert.deepStrictEqual(late, {
    message: 'No WebSocket handshake with ws://two.example:PORT within 900 ms',
    code: 'ERR_HANDSHAKE_TIMEOUT',
    errors: each(['ETIMEDOUT', 'ECONNREFUSED'])
  });
});

test(
  'a single address that is silent fails within handshakeTimeout, in the same words as ever',
  { ...options, skip: process.platform !== 'linux' },
  async (t) => {
    const port = await silent(t, '127.0.0.1');
    const host = new ours.Host({ handshakeTimeout: 300 });
    await assert.rejects(host.join(`ws://127.0.0.1:${port}`), (err) => {
      assert.deepStrictEqual([err.code, err.errors], ['ERR_HANDSHAKE_TIMEOUT', undefined]);
      assert.strictEqual(err.message, `No WebSocket handshake with ws://127.0.0.1:${port} within 300 ms`);
      return true;
    });
  }
);

test(
  'a name that a file gives to loopback addresses alone is bound there alone, the name of the machine everywhere',
  named,
  () => {
    const outside =
      Object.values(os.networkInterfaces())
        .flat()
        .find((i) => i.family === 'IPv4' && !i.internal)?.address ?? '127.0.0.2';
    const result = within(
      `127.0.0.3 three.example\n127.0.0.3 mixed.example\n192.0.2.1 mixed.example\n127.0.1.1 ${os.hostname()} ${os.hostname()}.example\n`,
      `
    const net = require('node:net');
    const connects = (address, port) => new Promise((resolve) => {
      const socket = net.connect(port, address).on('connect', () => { resolve(true); socket.destroy(); }).on('error', () => resolve(false));
    });
    const found = {};
    for (const name of ['three.example', 'mixed.example', ${JSON.stringify(os.hostname())}, ${JSON.stringify(`${os.hostname()}.example`)}]) {
      const host = new Host();
      await host.listen(name, 0);
      found[name] = [host.url === 'ws://' + name + ':' + host.port, await connects('127.0.0.3', host.port), await connects(${JSON.stringify(outside)}, host.port)];
      await host.close();
    }
    return Object.values(found);`
    );
    assert.deepStrictEqual(result, [
      [true, true, false],
      [true, true, true],
      [true, true, true],
      [true, true, true]
    ]);
  }
);
