'use strict';

// A message to all peers whose ids match, on whatever hosts they live, and how many have got it.
// Run it: node examples/broadcast.js

const distribus = require('distribus');

async function main() {
  const hotel = new distribus.Host();
  const annexe = new distribus.Host();
  await hotel.listen('127.0.0.1', 0);
  await annexe.join(hotel.url);

  for (const [host, id] of [
    [hotel, 'room.1'],
    [hotel, 'room.2'],
    [annexe, 'room.3'],
    [annexe, 'kitchen']
  ]) {
    host.create(id).on('message', (from, text) => console.log(`${id} hears from the ${from}: ${text}`));
  }
  annexe.get('room.3').on('message', () => {
    throw new Error('The loudspeaker is broken');
  });
  annexe.on('error', (err) => console.log(`annexe: ${err.message}`));

  const reception = hotel.create('reception');
  console.log(await reception.broadcast('room.*', 'Breakfast is ready'));
  console.log(await hotel.broadcast('manager', 'room.1', 'You have a visitor'));
  // Without a pattern: to everybody but itself.
  console.log(await reception.broadcast('The lift is out of order'));
  console.log('rooms:', await hotel.list('room.*'));

  await annexe.close();
  await hotel.close();
}

main();
