'use strict';
// Several processes that run the same program: Node's cluster, PM2.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { listening, ours } = require('./support.js');

const options = { timeout: 60_000 };

test(
  'of two workers of a cluster that listen at one port the second is told to use another, and both work',
  options,
  () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [path.join(__dirname, 'cluster', 'program.js')], {
      encoding: 'utf8',
      timeout: 50_000
    });
    assert.deepStrictEqual([stderr, status], ['', 0]);
    const { port, urls, shared, messages } = JSON.parse(stdout);
    assert.deepStrictEqual(urls.map(({ err }) => err?.code).sort(), ['EADDRINUSE', undefined]);
    const [{ err }] = urls.filter(({ err }) => err);
    const message =
      `listen EADDRINUSE: port ${port} is in use, perhaps by another worker of this cluster. Each host needs a port of its own: ` +
      "listen at port 0, or add the worker's number to the port";
    assert.deepStrictEqual(err, { message, code: 'EADDRINUSE', syscall: 'listen', address: '127.0.0.1', port });
    assert.notStrictEqual(urls[0].url, urls[1].url);
    assert.deepStrictEqual(messages.sort(), ['from 1', 'from 2']);
    // The first process neither listens nor passes connections on.
    assert.deepStrictEqual(shared, []);
  }
);

test('an instance of PM2 is told the same, any other process what 0.4.0 says', options, async (t) => {
  const { port } = await listening(t);
  const text = `new (require(${JSON.stringify(require.resolve('..'))}).Host)().listen('127.0.0.1', ${port}).catch((err) => console.log(String(err)))`;
  const told = (env) =>
    spawnSync(process.execPath, ['-e', text], { encoding: 'utf8', env: { ...process.env, ...env } }).stdout;
  assert.match(
    told({ NODE_APP_INSTANCE: '1' }),
    /^Error: listen EADDRINUSE: port \d+ is in use, perhaps by another worker/
  );
  assert.strictEqual(told({}), 'Error: listen EADDRINUSE\n');
  await assert.rejects(new ours.Host().listen('127.0.0.1', port), { message: 'listen EADDRINUSE' });
});
