'use strict';

// Who is in the network: a warehouse that watches its trucks come, get lost, come back and leave.
// Run it: node examples/membership.js

const { once } = require('node:events');
const distribus = require('distribus');

async function main() {
  const warehouse = new distribus.Host();
  await warehouse.listen('127.0.0.1', 0);
  for (const event of ['join', 'disconnect', 'reconnect', 'leave', 'unreachable']) {
    warehouse.on(event, (url) => console.log(`warehouse: ${event} ${url}`));
  }

  const first = new distribus.Host({ reconnectDelay: 100 });
  await first.listen('127.0.0.1', 0);
  // Several hosts to join by: one that answers is enough, the others are tried again in the background.
  await first.join(['ws://127.0.0.1:1', warehouse.url]);

  const second = new distribus.Host();
  await second.listen('127.0.0.1', 0);
  await second.join(warehouse.url);
  console.log(
    'second:    connected with',
    second.hosts().map(({ url }) => url)
  );

  // A connection that breaks is no leave: the same host is looked for, and found.
  const back = once(first, 'reconnect');
  warehouse.connections[first.url].close();
  await back;

  for (const host of [first, second, warehouse]) await host.close();
}

main();
