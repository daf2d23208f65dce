'use strict';
// What a program in a cluster does: each worker listens. The first process lets one port be found, which its workers then want all at once.

const cluster = require('node:cluster');
const { Host } = require('../..');

async function work() {
  const host = new Host();
  const port = Number(process.env.PORT);
  const { id } = cluster.worker;
  const err = await host.listen('127.0.0.1', port).then(
    () => null,
    ({ message, code, syscall, address, port }) => ({ message, code, syscall, address, port })
  );
  // What the error says: a port of its own.
  if (err !== null) await host.listen('127.0.0.1', 0);
  host.create(`worker ${id}`).on('message', (from, message) => {
    process.send({ id, heard: message });
  });
  process.on('message', ({ join, send, end }) => {
    if (join) host.join(join).then(() => process.send({ id, joined: true }));
    if (send) host.send('x', send, `from ${id}`);
    if (end) host.close().then(() => process.disconnect());
  });
  process.send({ id, url: host.url, err });
}

async function lead() {
  const port = await require('../../scripts/free_port.js')();
  const shared = [];
  cluster.on('listening', (worker, address) => shared.push(address));
  const workers = [cluster.fork({ PORT: port }), cluster.fork({ PORT: port })];
  const said = (worker, what) =>
    new Promise((resolve) => {
      worker.on('message', (message) => {
        if (what in message) resolve(message);
      });
    });
  const urls = await Promise.all(workers.map((worker) => said(worker, 'url')));
  const joined = said(workers[1], 'joined');
  workers[1].send({ join: urls[0].url });
  await joined;
  const heard = workers.map((worker) => said(worker, 'heard'));
  workers[0].send({ send: 'worker 2' });
  workers[1].send({ send: 'worker 1' });
  const messages = (await Promise.all(heard)).map((message) => message.heard);
  for (const worker of workers) worker.send({ end: true });
  console.log(JSON.stringify({ port, urls, shared, messages }));
}

if (cluster.isPrimary) lead();
else work();
