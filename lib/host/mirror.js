'use strict';

const dictionary = require('../common/dictionary.js');
const { drop, empty, put, show } = require('./owned.js');

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
    this.#core.tell((native) => native.disconnect(this.#key));
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
    this.#core.tell((native) => native.cancelTimer(this.#key));
  }
}

/** Keeps what programs can see of the network up to date: `connections`, `addresses`, `timers` and `networkId` of a host. */
class Mirror {
  /** @param {import('./core.js')} core */
  constructor(core) {
    this.core = core;
    /** The ids of the hosts of this version that are connected, by the keys of their connections. @type {Map<string, string>} */
    this.ids = new Map();
  }

  /**
   * @param {string} key
   * @param {string | null} url
   * @param {string | null} id
   */
  connected(key, url, id) {
    const { core } = this;
    core.links++;
    put(core, 'connections', key, new Connection(core, key, url));
    if (id !== null) {
      this.ids.set(key, id);
      core.hosts.set(id, key);
      core.members.located(id, url);
      core.notes.connected(id);
    }
  }

  /** @param {string} key */
  disconnected(key) {
    const { core } = this;
    core.links--;
    drop(core, 'connections', key);
    const id = this.ids.get(key);
    this.ids.delete(key);
    if (id !== undefined && core.hosts.get(id) === key) {
      core.hosts.delete(id);
      core.notes.disconnected(id);
    }
  }

  /**
   * @param {any} id
   * @param {string} url
   */
  located(id, url) {
    put(this.core, 'addresses', id, url);
  }

  /** @param {any} id */
  forgotten(id) {
    drop(this.core, 'addresses', id);
  }

  /** @param {string} key */
  timerStarted(key) {
    this.core.timers++;
    put(this.core, 'timers', key, new Timer(this.core, key));
  }

  /** @param {string} key */
  timerStopped(key) {
    this.core.timers--;
    drop(this.core, 'timers', key);
  }

  /** @param {any} id */
  networkIdTaken(id) {
    show(this.core, 'networkId', id);
  }

  /** Empties what programs see of the network, as close does. */
  forgetAll() {
    this.ids.clear();
    empty(this.core, 'connections');
    empty(this.core, 'timers');
    show(this.core, 'addresses', dictionary());
  }
}

module.exports = Mirror;
