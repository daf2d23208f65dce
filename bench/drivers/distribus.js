'use strict';

/**
 * The driver of a package with the API of distribus.
 * @param {any} distribus
 * @param {() => Promise<number>} choosePort
 * @param {any} [options] of its hosts
 * @returns {import('./index.js').Driver}
 */
module.exports = function driverOf(distribus, choosePort, options) {
  async function listeningHost() {
    const host = new distribus.Host(options);
    await host.listen('127.0.0.1', await choosePort());
    return host;
  }

  return {
    Promise: options?.Promise ?? distribus.Promise,
    host: () => new distribus.Host(options),
    listeningHost,

    async listen() {
      const host = await listeningHost();
      return {
        address: host.url,
        receive: (id, callback) => {
          host.create(id).on('message', callback);
        },
        answer: (id, callback) => {
          host.create(id).handle(callback);
        },
        subscribe: (channel, callback) => host.subscribe(channel, callback)
      };
    },

    async hub() {
      const host = await listeningHost();
      return {
        address: { url: host.url, light: 'member' },
        publish: (channel, message) => host.publish(channel, message)
      };
    },

    async connect(addresses) {
      const host = await listeningHost();
      for (const url of addresses) await host.join(url);
      const peer = host.create('sender');
      return {
        send: (to, message) => peer.send(to, message),
        request: (to, message) => peer.request(to, message),
        publish: (channel, message) => host.publish(channel, message)
      };
    }
  };
};
