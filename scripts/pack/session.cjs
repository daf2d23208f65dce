'use strict';

// Runs in the empty project of pack-test.js: the entries for require, and two hosts that talk.

const assert = require('node:assert');
const distribus = require('distribus');
const { version } = require('distribus/package.json');

assert.match(version, /^\d+\.\d+\.\d+/);
for (const name of ['Host', 'Peer', 'Promise']) {
  assert.strictEqual(require(`distribus/lib/${name}`), distribus[name], `distribus/lib/${name}`);
  assert.strictEqual(require(`distribus/lib/${name}.js`), distribus[name], `distribus/lib/${name}.js`);
}
assert.throws(() => require('distribus/lib/crossing/native/native'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });

async function main() {
  const [one, two] = [new distribus.Host(), new distribus.Host()];
  const received = new Promise((resolve) => one.create('a').on('message', (from, message) => resolve([from, message])));
  await one.listen('127.0.0.1', 0);
  await two.listen('127.0.0.1', 0);
  await two.join(one.url);
  assert.strictEqual(await two.create('b').send('a', { hello: 'world' }), null);
  assert.deepStrictEqual(await received, ['b', { hello: 'world' }]);
  await two.close();
  await one.close();
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
