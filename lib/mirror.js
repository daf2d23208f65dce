'use strict';

const dictionary = require('./dictionary.js');

/** A connection with another host, as programs see it. */
class Connection {
  #core;
  #key;

  /**
   * @param {import('./core.js')} core
   * @param {string} key
   * @param {string | null} url
   */
  constructor(core, key, url) {
    this.url = url;
    this.#core = core;
    this.#key = key;
  }

  /** Ends the connection without a goodbye. The side that joined will reconnect. */
  close() {
    this.#core.disconnect(this.#key);
  }
}

/** A reconnect to come, as programs see it. */
class Timer {
  #core;
  #key;

  /**
   * @param {import('./core.js')} core
   * @param {string} key
   */
  constructor(core, key) {
    this.#core = core;
    this.#key = key;
  }

  /** Gives the host up. */
  close() {
    this.#core.cancelTimer(this.#key);
  }
}

/** Keeps what programs can see of the network up to date: `connections`, `addresses`, `timers` and `networkId` of a host. */
class Mirror {
  /** @param {import('./core.js')} core */
  constructor(core) {
    this.core = core;
  }

  /**
   * @param {string} key
   * @param {string | null} url
   * @param {string | null} id
   */
  connected(key, url, id) {
    const { core } = this;
    core.links++;
    core.host.connections[key] = new Connection(core, key, url);
    if (id !== null) {
      core.hosts.set(id, key);
      core.notes.connected(id);
    }
  }

  /** @param {string} key */
  disconnected(key) {
    const { core } = this;
    core.links--;
    delete core.host.connections[key];
    for (const [id, k] of core.hosts) {
      if (k !== key) continue;
      core.hosts.delete(id);
      core.notes.disconnected(id);
    }
  }

  /**
   * @param {any} id
   * @param {string} url
   */
  located(id, url) {
    this.core.host.addresses[id] = url;
  }

  /** @param {any} id */
  forgotten(id) {
    delete this.core.host.addresses[id];
  }

  /** @param {string} key */
  timerStarted(key) {
    this.core.timers++;
    this.core.host.timers[key] = new Timer(this.core, key);
  }

  /** @param {string} key */
  timerStopped(key) {
    this.core.timers--;
    delete this.core.host.timers[key];
  }

  /** @param {any} id */
  networkIdTaken(id) {
    this.core.host.networkId = id;
  }

  /** Empties what programs see of the network, as close does. */
  forgetAll() {
    const { host } = this.core;
    for (const key of Object.keys(host.connections)) delete host.connections[key];
    for (const key of Object.keys(host.timers)) delete host.timers[key];
    host.addresses = dictionary();
  }
}

module.exports = Mirror;
