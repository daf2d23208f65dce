'use strict';

// A host that hears what another one publishes.
// Run it while station.js runs: node examples/multiple_hosts_pubsub/radio.js

const distribus = require('distribus');

const host = new distribus.Host();

host.subscribe('time', (text) => {
  console.log(`It is ${text}`);
  if (text === 'good night') host.close();
});

// Listening is not needed for hearing a channel among hosts of this version; hosts of distribus 0.4.0 publish only
// to hosts that listen.
host
  .listen('localhost', 0)
  .then(() => host.join('ws://localhost:3100'))
  .then(() => console.log('Tuned in (Ctrl+C switches off)'))
  .catch((err) => {
    console.log(`Nothing but noise: ${err.message}. Does station.js run?`);
    process.exit(1);
  });

process.once('SIGINT', () => host.close());
