'use strict';

const { matcher } = require('../channels/matching.js');
const { isPattern } = require('../channels/patterns.js');
const { nameOf } = require('../common/errors.js');
const { asTold } = require('../common/ids.js');
const { checkPattern } = require('../common/validate.js');

/**
 * What broadcasts need of their host.
 * @typedef {object} Home
 * @property {Pick<import('../host/settings.js'), 'attempt'>} settings
 * @property {Pick<import('../host/guard.js'), 'checkDraining'>} guard
 * @property {Pick<import('../host/mirror.js'), 'hosts' | 'hostIds'>} network
 * @property {Pick<import('../host/members.js'), 'lost'>} members
 * @property {Pick<import('../peer/residents.js'), 'each' | 'get' | 'visit'>} residents
 * @property {Pick<import('../crossing/outbound.js').Outbound, 'checkId' | 'checkName'>} outbound
 * @property {Pick<import('../host/trouble.js'), 'threw'>} trouble
 */

/** Messages to all peers that match, and the ids of those. */
class Broadcasts {
  static BROADCAST = 'b';
  static LIST = 'l';

  #home;
  #notes;

  /**
   * @param {Home} home
   * @param {import('./notes.js')} notes
   */
  constructor(home, notes) {
    this.#home = home;
    this.#notes = notes;
  }

  /**
   * @param {any} from
   * @param {any} pattern
   * @param {any} message
   * @param {any} options
   */
  begin(from, pattern, message, options) {
    return this.#home.settings.attempt(() => {
      this.#home.guard.checkDraining();
      const { pattern: checked, self } = checkPattern(pattern, options);
      this.#home.outbound.checkName('pattern', checked);
      this.#home.outbound.checkId('from', from);
      return this.broadcast(from, checked, message, self);
    });
  }

  /**
   * @param {any} from
   * @param {string} pattern
   * @param {any} message
   * @param {boolean} self whether the sender gets it as well
   * @returns {Promise<{delivered: number, failed: number}>}
   */
  async broadcast(from, pattern, message, self) {
    const { BROADCAST } = Broadcasts;
    // Told to the others first, so that what listeners here send comes after it there as well.
    const args = from === undefined ? [pattern, self] : [pattern, self, asTold(from, nameOf(from))];
    const lost = this.#home.members.lost(this.#home.network.hosts);
    const asked = this.#home.network
      .hostIds()
      .map((host) => this.#notes.ask(host, BROADCAST, args, message).catch(failure));
    const here = this.#deliver(from, pattern, message, self);
    let [delivered, failed] = here;
    failed += lost;
    for (const answer of await Promise.all(asked)) {
      const [there, not] = Array.isArray(answer) ? answer : [0, 1];
      delivered += Number(there) || 0;
      failed += Number(not) || 0;
    }
    return { delivered, failed };
  }

  /**
   * @param {string} host
   * @param {any[]} args
   * @param {any} message
   */
  take(host, [number, pattern, self, from], message) {
    const answer = this.#deliver(from, String(pattern), message, self === true);
    this.#notes.answer(host, number, () => answer);
  }

  /**
   * @param {any} from
   * @param {string} pattern
   * @param {any} message
   * @param {boolean} self
   * @returns {[number, number]} how many have got it, and how many of their listeners threw
   */
  #deliver(from, pattern, message, self) {
    let delivered = 0;
    let failed = 0;
    const sender = self ? undefined : nameOf(from);
    for (const { name, peer } of this.#matching(pattern)) {
      if (name === sender) continue;
      try {
        peer.emit('message', from, message);
        delivered++;
      } catch (err) {
        failed++;
        this.#home.trouble.threw(`A listener of peer ${name} threw`, err);
      }
    }
    return [delivered, failed];
  }

  /**
   * @param {string} pattern
   * @returns {{name: string, id: any, peer: any}[]} the peers here that match; their names are their ids as texts
   */
  #matching(pattern) {
    const { residents } = this.#home;
    /** @type {{name: string, id: any, peer: any}[]} */
    const found = [];
    if (!isPattern(pattern)) {
      residents.visit(residents.get(pattern), (id, peer) => {
        found.push({ name: nameOf(id), id, peer });
      });
      return found;
    }
    const matches = matcher(pattern);
    residents.each((id, peer) => {
      const name = nameOf(id);
      if (matches(name)) found.push({ name, id, peer });
    });
    return found;
  }

  /**
   * @param {string} pattern
   * @returns {Promise<any[]>} the ids in the whole network that match
   */
  async ids(pattern) {
    const asked = this.#home.network
      .hostIds()
      .map((host) => this.#notes.askShortly(host, Broadcasts.LIST, [pattern]).catch(missing));
    const ids = new Map(this.#matching(pattern).map(({ name, id }) => [name, id]));
    for (const list of await Promise.all(asked)) {
      for (const id of Array.isArray(list) ? list : []) if (!ids.has(nameOf(id))) ids.set(nameOf(id), id);
    }
    return [...ids.values()];
  }
}

/**
 * A message that JSON cannot carry is the caller's mistake; a host that does not answer is one that failed.
 * @param {any} err
 */
function failure(err) {
  if (err.code === 'ERR_MESSAGE_NOT_SERIALIZABLE') throw err;
  return null;
}

/**
 * A list does without the peers of a host that does not answer, but not when it is this one that has ended.
 * @param {any} err
 */
function missing(err) {
  if (err.code === 'ERR_HOST_CLOSED') throw err;
  return [];
}

module.exports = Broadcasts;
