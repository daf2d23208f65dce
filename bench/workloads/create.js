'use strict';

const { now } = require('../messages.js');

/** Creates peers with a listener on a host that listens, each time on a new host. */
module.exports = {
  async alone(/** @type {any} */ driver) {
    return {
      async run(/** @type {number} */ n) {
        const host = await driver.listeningHost();
        const listener = () => {};
        const cpu = process.cpuUsage();
        const start = now();
        for (let i = 0; i < n; i++) host.create('peer-' + i).on('message', listener);
        await new Promise(setImmediate); // what is left for the end of the turn belongs to it
        const seconds = now() - start;
        const spent = process.cpuUsage(cpu);
        if (Object.keys(host.peers).length !== n) throw new Error('Peers are missing');
        await host.close();
        return { seconds, cpu: spent };
      }
    };
  }
};
