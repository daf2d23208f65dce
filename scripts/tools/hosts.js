'use strict';

// What bundlers make one file of: two hosts that talk.

const { Host } = require('distribus');

async function main() {
  const [one, two] = [new Host(), new Host()];
  one.create('a').on('message', (from, message) => console.log(`${from}: ${message}`));
  await one.listen('127.0.0.1', 0);
  await two.join(one.url);
  await two.send('b', 'a', 'bundled');
  await two.close();
  await one.close();
}

main();
