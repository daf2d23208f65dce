'use strict';

const dictionary = require('../common/dictionary.js');
const { drop, empty, lookUp, put, show } = require('./owned.js');

/** @typedef {import('../crossing/contract.js').Carrier} Carrier */
/** @typedef {(tell: (native: Carrier) => void) => void} Tell */

/**
 * What a mirror needs of its host.
 * @typedef {object} Home
 * @property {any} host what programs see
 * @property {import('./trouble.js')} trouble
 * @property {Pick<import('./life.js').Life, 'native'>} life
 * @property {Pick<import('./members.js'), 'located'>} members
 * @property {Tell} tell tells the native host something, after what was collected before
 * @property {(host: string) => void} connected is called with the id of a host of this version that is connected now
 * @property {(host: string) => void} disconnected
 */

/** A connection with another host, as programs see it. */
class Connection {
  #tell;
  #key;

  /**
   * @param {Tell} tell
   * @param {string} key
   * @param {string | null} url
   */
  constructor(tell, key, url) {
    this.url = url;
    this.#tell = tell;
    this.#key = key;
  }

  /** Ends the connection without a goodbye. The side that joined will reconnect. */
  close() {
    this.#tell((native) => native.disconnect(this.#key));
  }
}

/** A reconnect to come, as programs see it. */
class Timer {
  #tell;
  #key;

  /**
   * @param {Tell} tell
   * @param {string} key
   */
  constructor(tell, key) {
    this.#tell = tell;
    this.#key = key;
  }

  /** Gives the host up. */
  close() {
    this.#tell((native) => native.cancelTimer(this.#key));
  }
}

/** Keeps what programs can see of the network up to date: `connections`, `addresses`, `timers` and `networkId` of a host. */
class Mirror {
  /** Connections that stand in `connections`. */
  links = 0;
  timers = 0;
  /** Keys of connections with hosts of this version, by the hosts' ids. @type {Map<string, string>} */
  hosts = new Map();
  #home;

  /** @param {Home} home */
  constructor(home) {
    this.host = home.host;
    this.trouble = home.trouble;
    this.#home = home;
    /** The ids of the hosts of this version that are connected, by the keys of their connections. @type {Map<string, string>} */
    this.ids = new Map();
  }

  /**
   * @param {string} key
   * @param {string | null} url
   * @param {string | null} id
   */
  connected(key, url, id) {
    this.links++;
    put(this, 'connections', key, new Connection(this.#home.tell, key, url));
    if (id !== null) {
      this.ids.set(key, id);
      this.hosts.set(id, key);
      this.#home.members.located(id, url);
      this.#home.connected(id);
    }
  }

  /** @param {string} key */
  disconnected(key) {
    this.links--;
    drop(this, 'connections', key);
    const id = this.ids.get(key);
    this.ids.delete(key);
    if (id !== undefined && this.hosts.get(id) === key) {
      this.hosts.delete(id);
      this.#home.disconnected(id);
    }
  }

  /**
   * @param {any} id
   * @param {string} url
   */
  located(id, url) {
    put(this, 'addresses', id, url);
  }

  /** @param {any} id */
  forgotten(id) {
    drop(this, 'addresses', id);
  }

  /** @param {string} key */
  timerStarted(key) {
    this.timers++;
    put(this, 'timers', key, new Timer(this.#home.tell, key));
  }

  /** @param {string} key */
  timerStopped(key) {
    this.timers--;
    drop(this, 'timers', key);
  }

  /** @param {any} id */
  networkIdTaken(id) {
    show(this, 'networkId', id);
  }

  /** @returns {string[]} the ids of the hosts of this version that are connected */
  hostIds() {
    return [...this.hosts.keys()];
  }

  /**
   * Whether anybody but this host could know that peer.
   * @param {any} id
   */
  mayKnow(id) {
    return (
      this.#home.life.native !== null && (this.links > 0 || typeof lookUp(this.host, 'addresses', id) === 'string')
    );
  }

  /** The host is closed. */
  closed() {
    this.links = this.timers = 0;
    this.hosts.clear();
  }

  /** Empties what programs see of the network, as close does. */
  forgetAll() {
    this.ids.clear();
    empty(this, 'connections');
    empty(this, 'timers');
    show(this, 'addresses', dictionary());
  }
}

module.exports = Mirror;
