'use strict';

const { now } = require('../messages.js');

/** Sends between two peers of one host, which calls the listener at once. The promises are not awaited. */
module.exports = {
  async alone(/** @type {any} */ driver) {
    const host = driver.host();
    let received = 0;
    host.create('to').on('message', () => {
      received++;
    });
    const peer = host.create('from');
    return {
      async run(/** @type {number} */ n) {
        const before = received;
        const cpu = process.cpuUsage();
        const start = now();
        for (let i = 0; i < n; i++) peer.send('to', 'hello world');
        const seconds = now() - start;
        if (received - before !== n) throw new Error(`${received - before} of ${n} messages arrived`);
        return { seconds, cpu: process.cpuUsage(cpu) };
      }
    };
  }
};
