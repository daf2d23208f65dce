'use strict';

// A host that publishes the time every second to everyone who joins.
// Start it first: node examples/multiple_hosts_pubsub/station.js
// Then start radio.js, as often as you like, in other terminals.

const distribus = require('distribus');

const host = new distribus.Host();

host
  .listen('localhost', 3100)
  .then(() => {
    console.log(`On air at ${host.url} (Ctrl+C ends the programme)`);
    const timer = setInterval(() => host.publish('time', new Date().toISOString()), 1000);

    process.once('SIGINT', () => {
      clearInterval(timer);
      host.publish('time', 'good night');
      host.close();
    });
  })
  .catch((err) => {
    console.log(`Cannot go on air: ${err.message}`);
    process.exitCode = 1;
  });
