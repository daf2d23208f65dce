'use strict';

// Channels by wildcards: a building whose sensors publish, and programs that listen to some of them.
// Run it: node examples/wildcards.js

const distribus = require('distribus');

async function main() {
  const cellar = new distribus.Host();
  const office = new distribus.Host();
  await cellar.listen('127.0.0.1', 0);
  await office.join(cellar.url);

  // `*` is one segment, or a part of one; `**` is any number of segments. The second argument is the channel.
  office.subscribe('sensors.*.temperature', (value, channel) => console.log(`thermometer: ${value} °C on ${channel}`));
  office.subscribe('sensors.**', (value, channel) => console.log(`log:         ${channel} = ${value}`));
  office.subscribe('sensors.cellar-*.smoke', (value, channel) => console.log(`ALARM:       ${channel}`));
  // Without wildcards there is no second argument, and a `*` can mean itself.
  office.subscribe('sensors.*', (value) => console.log(`star:        ${value}`), { exact: true });

  // What is published from now on is heard: the other hosts know of the subscriptions.
  await office.ready();
  cellar.publish('sensors.cellar-1.temperature', 16);
  cellar.publish('sensors.cellar-1.smoke', true);
  cellar.publish('sensors.roof.wind.gusts', 9);
  cellar.publish('sensors.*', 'a channel with a star in its name');
  // Nobody listens to this one, so it leaves nowhere.
  cellar.publish('weather', 'rain');

  await cellar.close();
  await office.close();
}

main();
