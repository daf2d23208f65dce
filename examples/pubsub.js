'use strict';

// Publish and subscribe on one host.
// Run it: node examples/pubsub.js

const distribus = require('distribus');

const host = new distribus.Host();

function display(reading) {
  console.log(`display: ${reading.celsius} °C in the ${reading.room}`);
}

function alarm(reading) {
  if (reading.celsius > 30) console.log(`alarm: too hot in the ${reading.room}!`);
}

host.subscribe('temperature', display);
host.subscribe('temperature', alarm);

host.publish('temperature', { room: 'kitchen', celsius: 21 });
host.publish('temperature', { room: 'attic', celsius: 34 });

// From here on only the display listens.
host.unsubscribe('temperature', alarm);
host.publish('temperature', { room: 'attic', celsius: 36 });
