'use strict';

// A host that joins another one, asks a peer over there and leaves.
// Run it while library.js runs: node examples/multiple_hosts/reader.js "The Trial"

const distribus = require('distribus');

const title = process.argv[2] ?? 'Moby Dick';

async function main() {
  const host = new distribus.Host();
  // Ids are shared by the whole network, so a reader needs one of its own.
  const reader = host.create(`reader ${process.pid}`);
  const answer = new Promise((resolve) => reader.once('message', (from, message) => resolve(message)));

  // A peer can be reached from other hosts when its host listens. Port 0 is any free port.
  await host.listen('localhost', 0);
  await host.join('ws://localhost:3000');
  console.log(`Joined the library; the librarian works at ${await host.find('librarian')}`);

  await reader.send('librarian', title);
  const { line } = await answer;
  console.log(`"${title}" begins: ${line}`);

  await host.close();
}

main().catch((err) => {
  console.log(`That did not work: ${err.message}. Does library.js run?`);
  process.exit(1);
});
