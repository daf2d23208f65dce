'use strict';

const { Checker } = require('../messages.js');
const { CHANNEL, publisher } = require('./publisher.js');

/** Publishes without waiting; done when the last subscriber has the last message. */
module.exports = {
  ...publisher(1000),

  async receiver(/** @type {any[]} */ nodes, /** @type {any} */ cell) {
    const checker = new Checker(cell.message, nodes.length, true);
    for (let i = 0; i < nodes.length; i++) {
      await nodes[i].subscribe(CHANNEL, (/** @type {any} */ message) => checker.take(i, message));
    }
    return checker;
  }
};
