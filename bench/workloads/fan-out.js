'use strict';

const { Checker } = require('../messages.js');
const { CHANNEL, publisher } = require('./publisher.js');

/** How many connections are made at the same time. */
const AT_A_TIME = 100;

/** One publish in each turn of the event loop, to subscribers that have connected; done when the last has the last message. */
module.exports = {
  ...publisher(1),
  hub: true,

  async receiver(/** @type {import('../drivers/index.js').Hub['address']} */ { url, light }, /** @type {any} */ cell) {
    const subscribe = require(`../light/${light}.js`);
    const checker = new Checker(cell.message, cell.hosts, true);
    for (let first = 0; first < cell.hosts; first += AT_A_TIME) {
      const some = Array.from({ length: Math.min(AT_A_TIME, cell.hosts - first) }, (_, i) => first + i);
      await Promise.all(
        some.map((i) => subscribe(url, CHANNEL, (/** @type {any} */ message) => checker.take(i, message)))
      );
    }
    return checker;
  }
};
