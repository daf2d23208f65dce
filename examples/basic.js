'use strict';

// Two peers on one host: a question and its answer.
// Run it: node examples/basic.js

const distribus = require('distribus');

const host = new distribus.Host();
const barista = host.create('barista');
const guest = host.create('guest');

barista.on('message', (from, order) => {
  console.log(`barista: ${from} wants ${order.cups} x ${order.drink}`);
  barista.send(from, `Here you are: ${order.cups} x ${order.drink}`);
});

guest.on('message', (from, text) => {
  console.log(`guest: the ${from} says "${text}"`);
});

guest
  .send('barista', { drink: 'espresso', cups: 2 })
  .then(() => console.log('guest: my order was taken'))
  .then(() => guest.send('waiter', 'The bill, please'))
  .catch((err) => console.log(`guest: nobody there. ${err.message}, code ${err.code}`));
