'use strict';

const { nameOf } = require('../common/errors.js');
const { asTold, checkId } = require('../common/ids.js');

/** Up to so many peers are listed anew for each walk. */
const FEW = 16384;

/** @typedef {(id: any, peer: any, told: any) => void} Visit is called for a peer that other hosts can be told of, with its id also as it is told */

/** A way through the peers that are there, one by one, while others come and go. @typedef {{next: (visit: Visit) => boolean}} Walk */

/**
 * The peers that live on a host, as they stand in `host.peers`. Programs change that by hand, so anything may stand there: what is no
 * peer counts as none, and a peer whose id no other host could be told is left out where ids are told.
 */
class Residents {
  #host;
  #trouble;
  /** What the program has been told of already. @type {WeakSet<object>} */
  #reported = new WeakSet();

  /**
   * @param {{peers: any}} host
   * @param {{unusable: (what: string, err: any) => void}} trouble
   */
  constructor(host, trouble) {
    this.#host = host;
    this.#trouble = trouble;
  }

  /**
   * @param {any} id
   * @returns {any} the peer, or undefined
   */
  get(id) {
    try {
      const peer = this.#host.peers[id];
      return typeof peer === 'object' && peer !== null ? peer : undefined;
    } catch {
      return undefined; // an id that JavaScript cannot turn into a name, or peers that cannot be read
    }
  }

  /** How many have been created and not removed. */
  #count = 0;
  /**
   * The names of all, once they were many when somebody walked through them: to list them then takes longer than other hosts can wait.
   * @type {Set<string> | null}
   */
  #names = null;

  /** @param {any} id of a peer that lives here now */
  created(id) {
    this.#count++;
    if (this.#names !== null) this.#names.add(String(id));
  }

  /** @param {any} id of one that does not live here any more */
  removed(id) {
    this.#count--;
    if (this.#names !== null) this.#names.delete(nameOf(id));
  }

  /** @returns {Walk} which misses peers that were put into `host.peers` by hand where there are many others */
  walk() {
    if (this.#count <= FEW) {
      this.#names = null;
      const peers = this.#all();
      let at = 0;
      return {
        next: (visit) => {
          if (at === peers.length) return false;
          this.visit(peers[at++], visit);
          return true;
        }
      };
    }
    const names = (this.#names ??= new Set(this.#listed())).values();
    return {
      next: (visit) => {
        const { value: name, done } = names.next();
        if (done) return false;
        this.visit(this.get(name), visit);
        return true;
      }
    };
  }

  /** @returns {string[]} under which names something stands */
  #listed() {
    try {
      return Object.keys(this.#host.peers);
    } catch {
      return [];
    }
  }

  /** @param {Visit} visit is called for each that other hosts can be told of */
  each(visit) {
    for (const peer of this.#all()) this.visit(peer, visit);
  }

  /**
   * @param {any} peer or anything else
   * @param {Visit} visit
   */
  visit(peer, visit) {
    if (typeof peer !== 'object' || peer === null) return;
    let id;
    let told;
    try {
      ({ id } = peer);
      checkId('id', id, Infinity);
      told = asTold(id, nameOf(id));
    } catch (err) {
      this.#report(peer, 'A peer that was put into host.peers', err);
      return;
    }
    visit(id, peer, told);
  }

  /** @returns {any[]} the ids that can be told */
  ids() {
    /** @type {any[]} */
    const ids = [];
    this.each((id) => {
      ids.push(id);
    });
    return ids;
  }

  /** @returns {any[]} the ids as they are told */
  told() {
    /** @type {any[]} */
    const ids = [];
    this.each((_id, _peer, told) => {
      ids.push(told);
    });
    return ids;
  }

  /** @returns {any[]} whatever stands there, in order */
  #all() {
    const { peers } = this.#host;
    try {
      return Object.values(peers);
    } catch (err) {
      this.#report(peers, 'What stands in host.peers', err);
    }
    return this.#listed().map((id) => this.get(id));
  }

  /**
   * @param {any} thing told of once
   * @param {string} what
   * @param {any} err
   */
  #report(thing, what, err) {
    if (typeof thing === 'object' && thing !== null) {
      if (this.#reported.has(thing)) return;
      this.#reported.add(thing);
    }
    this.#trouble.unusable(what, err);
  }
}

module.exports = Residents;
