'use strict';

// One network of an original host (distribus 0.4.0 from npm, installed here as `distribus-original`) and one of ours.
// Run it: node examples/mixed_network.js

const original = require('distribus-original');
const distribus = require('distribus');

async function main() {
  // The original listens on the port that it was told, so it gets one that was free a moment ago.
  const port = await require('node:util').promisify(require('freeport'))();
  const old = new original.Host();
  await old.listen('127.0.0.1', port);
  console.log(`original: listening at ${old.url}`);

  const host = new distribus.Host();
  await host.listen('127.0.0.1', 0);
  await host.join(old.url);
  console.log(`ours:     listening at ${host.url}, joined the original`);

  const grandma = old.create('grandma');
  const kid = host.create('kid');
  const heard = new Promise((resolve) => host.subscribe('stories', resolve));

  grandma.on('message', (from, text) => {
    console.log(`original: grandma hears from ${from}: "${text}"`);
    grandma.send(from, 'Of course, dear');
  });
  const answer = new Promise((resolve) => kid.once('message', (from, text) => resolve(text)));

  await kid.send('grandma', 'Tell me a story?');
  console.log(`ours:     kid hears: "${await answer}"`);

  old.publish('stories', 'Once upon a time there was a callback …');
  console.log(`ours:     the channel "stories" brings: "${await heard}"`);

  console.log(`ours:     grandma lives at ${await host.find('grandma')}`);
  console.log(`original: kid lives at ${await old.find('kid')}`);

  await host.close();
  await old.close();
  process.exit(); // the original keeps a timer for five minutes after a goodbye, and with it the process
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
