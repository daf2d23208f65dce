'use strict';

// A host that others join. Start it first: node examples/multiple_hosts/library.js
// Then start reader.js, as often as you like, in other terminals.

const distribus = require('distribus');

const books = new Map([
  ['moby dick', 'Call me Ishmael.'],
  ['the trial', 'Someone must have been telling lies about Josef K.']
]);

const host = new distribus.Host();
const librarian = host.create('librarian');

librarian.on('message', (from, title) => {
  const line = books.get(title.toLowerCase()) ?? 'We do not have that one.';
  console.log(`${from} asks for "${title}"`);
  librarian.send(from, { title, line }).catch((err) => console.log(`${from} has left already: ${err.message}`));
});

host
  .listen('localhost', 3000)
  .then(() => console.log(`The library is open at ${host.url} (Ctrl+C closes it)`))
  .catch((err) => {
    console.log(`The library cannot open: ${err.message}`);
    process.exitCode = 1;
  });

process.once('SIGINT', () => host.close());
