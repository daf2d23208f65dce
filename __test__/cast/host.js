'use strict';
// A host in a process of its own, that does what it is told: see process_host.js.

const { Host } = require(process.env.DISTRIBUS_UNDER_TEST ?? '../..');

const { url, options } = JSON.parse(process.argv[2]);
const host = new Host(options);
const state = {};
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;

process.on('message', async ({ number, code }) => {
  try {
    process.send({ number, value: await new AsyncFunction('host', 'state', code)(host, state) });
  } catch (err) {
    process.send({ number, error: String(err) });
  }
});
process.on('disconnect', () => process.exit());
host.join(url).then(() => process.send({ number: 0 }));
