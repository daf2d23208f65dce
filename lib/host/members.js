'use strict';

const { MEMBERSHIPS } = require('../crossing/contract.js');
const { debug } = require('../platform/index.js');

/** The events that report what became of a member. @type {Record<number, string>} */
const EVENTS = {
  [MEMBERSHIPS.JOIN]: 'join',
  [MEMBERSHIPS.LEAVE]: 'leave',
  [MEMBERSHIPS.DISCONNECT]: 'disconnect',
  [MEMBERSHIPS.RECONNECT]: 'reconnect'
};

/**
 * The other hosts of the network, as programs see them: those that have joined and not left. Tells the host's listeners of each change,
 * which is a join first, disconnects and reconnects in turn, and one leave in the end.
 */
class Members {
  /** @type {Map<string, {url: string | null, id: string | null, connected: boolean}>} by id; 0.4.0 hosts, which have none, by url */
  #members = new Map();
  #events;
  #name;

  /**
   * @param {import('./events.js')} events
   * @param {() => string} name of this host, for the debug log
   */
  constructor(events, name) {
    this.#events = events;
    this.#name = name;
  }

  get size() {
    return this.#members.size;
  }

  /**
   * @param {Map<string, string>} connected
   * @returns {number} how many hosts of this version are not connected
   */
  lost(connected) {
    let lost = 0;
    for (const { id } of this.#members.values()) if (id !== null && !connected.has(id)) lost++;
    return lost;
  }

  /** A copy, in the order in which they joined. */
  list() {
    return Array.from(this.#members.values(), (member) => ({ ...member }));
  }

  /**
   * @param {number} change one of MEMBERSHIPS
   * @param {string | null} url
   * @param {string | null} id
   */
  apply(change, url, id) {
    const event = EVENTS[change];
    const name = /** @type {string} */ (id ?? url);
    if (event === 'leave') this.#members.delete(name);
    else this.#members.set(name, { url, id, connected: event !== 'disconnect' });
    this.#tell(event, url, id);
  }

  /**
   * A member that may have begun to listen since it joined has another connection.
   * @param {string} id
   * @param {string | null} url
   */
  located(id, url) {
    const member = this.#members.get(id);
    if (member !== undefined) member.url = url;
  }

  /**
   * A member could not be connected to.
   * @param {string} url
   * @param {Error} err
   */
  unreachable(url, err) {
    if (debug.enabled) debug('%s: %s is unreachable: %s', this.#name(), url, err.message);
    this.#events.emit('unreachable', url, err);
  }

  /** Everybody leaves who has not. */
  clear() {
    const gone = [...this.#members.values()];
    this.#members.clear();
    for (const { url, id } of gone) this.#tell('leave', url, id);
  }

  /**
   * @param {string} event
   * @param {string | null} url
   * @param {string | null} id
   */
  #tell(event, url, id) {
    if (debug.enabled) debug('%s: %s of %s (id: %s)', this.#name(), event, url ?? 'a host without url', id ?? 'none');
    this.#events.emit(event, url, id);
  }
}

module.exports = Members;
