'use strict';

// The first process of the demo: listens, answers, publishes, and leaves when it is told that all is said.

const distribus = require('distribus');

const host = new distribus.Host();
const lucy = host.create('lucy');

lucy.on('message', (from, message) => {
  console.log(`lucy receives from ${from}: "${message}"`);
  if (message === 'That is all, goodbye!') {
    host.close().then(() => console.log('closed'));
    return;
  }
  lucy.send(from, `Hello ${from}, it is raining here`).then(() => {
    console.log('lucy knows that her answer was received, and publishes on the channel "weather"');
    host.publish('weather', { city: 'London', rain: true });
  });
});

host
  .listen('127.0.0.1', 0)
  .then(() => {
    console.log(`listening at ${host.url}; the peer "lucy" lives here`);
    process.send(host.url);
  })
  .catch(fail);

function fail(err) {
  console.error(err);
  process.exit(1);
}
