'use strict';

// Requests and replies between two hosts: a reply, an error, a timeout, and a peer that answers nothing.
// Run it: node examples/request_reply.js

const distribus = require('distribus');

async function main() {
  const library = new distribus.Host();
  const home = new distribus.Host();
  await library.listen('127.0.0.1', 0);
  await home.join(library.url);

  const books = { 'Moby Dick': 1851, Emma: 1815 };
  library.create('librarian').handle(async (from, title) => {
    if (title === 'a long story') return new Promise(() => {});
    if (!(title in books)) throw new Error(`We have no "${title}"`);
    return { title, year: books[title] };
  });
  library.create('cat');

  const reader = home.create('reader');
  const ask = async (to, title, options) => {
    try {
      console.log(`reader: the ${to} says`, await reader.request(to, title, options));
    } catch (err) {
      console.log(`reader: ${err.message}, code ${err.code}`);
    }
  };
  await ask('librarian', 'Emma');
  await ask('librarian', 'The Trial');
  await ask('librarian', 'a long story', { timeout: 100 });
  await ask('cat', 'Emma');
  await ask('nobody', 'Emma');

  await home.close();
  await library.close();
}

main();
