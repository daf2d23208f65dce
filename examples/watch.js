'use strict';

// Which peers there are: first those that are there already, then everyone who comes and goes, also when a host crashes.
// Run it: node examples/watch.js

const distribus = require('distribus');

async function main() {
  const lobby = new distribus.Host();
  await lobby.listen('127.0.0.1', 0);
  const arena = new distribus.Host();
  await arena.join(lobby.url);
  arena.create('player.kim');
  arena.create('referee');

  const enough = new AbortController();
  const watching = (async () => {
    try {
      for await (const { type, id } of lobby.watch('player.*', { signal: enough.signal })) {
        console.log(`lobby: ${type} ${id}`);
        if (id === 'player.kim' && type === 'join') arena.create('player.lee');
        if (id === 'player.lee' && type === 'join') arena.remove('player.kim');
        // All players of a host that is lost leave.
        if (id === 'player.kim' && type === 'leave') Object.values(lobby.connections)[0].close();
        if (id === 'player.lee' && type === 'leave') enough.abort();
      }
    } catch (err) {
      console.log(`lobby: ${err.message} (${err.code})`);
    }
  })();
  await watching;

  await arena.close();
  await lobby.close();
}

main();
