'use strict';
// The original's examples, unmodified: with ours, and half and half, they print what they print with the original.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { freePort } = require('../support.js');

const examples = path.join(path.dirname(require.resolve('distribus-original/package.json')), 'examples');
const options = { timeout: 60_000 };

/**
 * Starts an example.
 * @param {any} t
 * @param {'original' | 'ours'} kind
 * @param {string} file
 * @param {string} [ports]
 */
function start(t, kind, file, ports) {
  const args = [];
  if (ports) args.push('--require', path.join(__dirname, 'ports.js'));
  if (kind === 'ours') args.push('--require', path.join(__dirname, 'redirect.js'));
  const child = spawn(process.execPath, [...args, path.join(examples, file)], {
    env: { ...process.env, DISTRIBUS_TEST_PORTS: ports }
  });
  t.after(() => {
    if (child.exitCode === null && child.signalCode === null)
      t.diagnostic(`${kind} ${file} still ran, and had printed ${JSON.stringify(example.stdout + example.stderr)}`);
    child.kill('SIGKILL');
  });
  const example = { stdout: '', stderr: '', code: null, lines: null, stop: null, ended: null };
  let heard = () => {};
  child.stdout.on('data', (data) => {
    example.stdout += data;
    heard();
  });
  child.stderr.on('data', (data) => {
    example.stderr += data;
  });
  /** Resolves when so many lines have been printed. */
  example.lines = (count) =>
    new Promise((resolve) => {
      heard = () => {
        if (example.stdout.split('\n').length > count) resolve();
      };
      heard();
    });
  const closed = new Promise((resolve) => child.once('close', resolve)).then((code) => {
    if (kind === 'ours') assert.deepStrictEqual([example.stderr, code], ['', 0]);
    example.code = code;
    return example.stdout;
  });
  example.stop = () => {
    child.kill();
    return closed;
  };
  example.ended = () => closed;
  return example;
}

for (const file of ['basic_usage.js', 'pubsub.js']) {
  test(`${file}`, options, async (t) => {
    const [expected, actual] = [start(t, 'original', file), start(t, 'ours', file)];
    assert.strictEqual(await actual.ended(), await expected.ended());
    assert.notStrictEqual(expected.stdout, '');
    assert.deepStrictEqual([actual.code, expected.code], [0, 0]);
  });
}

/** The files in the order in which they are started, with the number of lines that the first prints before the second may start, and in all. */
const PAIRS = [
  { files: ['multiple_hosts/host1.js', 'multiple_hosts/host2.js'], before: 1, lines: [2, 3] },
  { files: ['multiple_hosts/host2.js', 'multiple_hosts/host1.js'], before: 1, lines: [2, 3] },
  { files: ['multiple_hosts_pubsub/host1.js', 'multiple_hosts_pubsub/host2.js'], before: 1, lines: [2, 2] }
];

for (const { files, before, lines } of PAIRS) {
  test(files.join(', then '), options, async (t) => {
    const run = async (...kinds) => {
      const ports = `3000:${await freePort()},3001:${await freePort()}`;
      const first = start(t, kinds[0], files[0], ports);
      await first.lines(before);
      const second = start(t, kinds[1], files[1], ports);
      await Promise.all([first.lines(lines[0]), second.lines(lines[1])]);
      return [await first.stop(), await second.stop()];
    };
    const expected = await run('original', 'original');
    assert.deepStrictEqual(await run('ours', 'ours'), expected);
    assert.deepStrictEqual(await run('ours', 'original'), expected);
    assert.deepStrictEqual(await run('original', 'ours'), expected);
  });
}

test('multiple_hosts_pubsub/host2.js alone', options, async (t) => {
  const run = async (kind) => {
    const example = start(
      t,
      kind,
      'multiple_hosts_pubsub/host2.js',
      `3000:${await freePort()},3001:${await freePort()}`
    );
    return [await example.ended(), example.code];
  };
  assert.deepStrictEqual(await run('ours'), await run('original'));
});
