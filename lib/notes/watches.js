'use strict';

const { abortError, nameOf, tooManyPeers, tooManyWatches } = require('../common/errors.js');
const Firsts = require('../common/firsts.js');
const { follow, unfollow } = require('../common/signals.js');
const { asTold } = require('../common/ids.js');
const { matches } = require('../channels/matching.js');
const { Prefixes } = require('../channels/prefixes.js');
const { Served } = require('./served.js');
const { MOST_TOLD, weightOf } = require('./telling.js');
const { Asks, Index, UNWATCH, WATCH } = require('./watchers.js');

/** @typedef {{type: 'join' | 'leave', id: any}} Change */

/** So many changes may wait for the program, when more come from another host. */
const MOST_UNREAD = 384 * 1024;

/** A peer that is no string, or that several hosts have. @typedef {{id: any, host: string, others: Set<string> | null}} Shared */

/**
 * The changes that a program has not taken yet: never more than there are peers, because a join and a leave of the same peer that nobody
 * has seen cancel each other.
 * @implements {AsyncIterableIterator<Change>}
 */
class Watch {
  /** Which host has a peer, by its id as text. There may be very many: most take no object of their own. @type {Map<string, string | Shared>} */
  #present = new Map();
  /** The ids of peers that have come or gone: whoever is there has come. @type {Map<string, any>} */
  #changes = new Map();
  #first = new Firsts(this.#changes);
  /** @type {{resolve: (result: IteratorResult<Change>) => void, reject: (err: any) => void}[]} */
  #waiting = [];
  #ended = false;
  /** @type {any} */
  #error = null;
  #end;
  #signal;
  #onAbort = () => this.#stop(abortError(/** @type {AbortSignal} */ (this.#signal)));

  /**
   * @param {AbortSignal | undefined} signal
   * @param {() => void} end called once
   */
  constructor(signal, end) {
    this.#end = end;
    this.#signal = signal;
    if (signal !== undefined) follow(signal, this.#onAbort);
  }

  /**
   * @param {string} host
   * @param {any} id of a peer that is there now
   * @returns {boolean} whether it was not there before on that host
   */
  join(host, id) {
    const key = nameOf(id);
    const there = this.#present.get(key);
    if (there === undefined) {
      this.#present.set(key, id === key ? host : { id, host, others: null });
      this.#tell(key, id);
      return true;
    }
    if ((typeof there === 'string' ? there : there.host) === host) return false;
    if (typeof there === 'string') {
      this.#present.set(key, { id: key, host: there, others: new Set([host]) });
      return true;
    }
    if (there.others?.has(host)) return false;
    (there.others ??= new Set()).add(host);
    return true;
  }

  /**
   * @param {string} host
   * @param {any} id of a peer that is not there any more
   * @returns {boolean} whether it was there on that host
   */
  leave(host, id) {
    const key = nameOf(id);
    const there = this.#present.get(key);
    if (there === undefined) return false;
    if (typeof there === 'string') {
      if (there !== host) return false;
      this.#left(key, key);
      return true;
    }
    if (there.host !== host) return there.others?.delete(host) ?? false;
    const { value: other, done } = (there.others ?? new Set()).values().next();
    if (done) {
      this.#left(key, there.id);
    } else {
      there.host = other;
      there.others?.delete(other);
    }
    return true;
  }

  /**
   * @param {string} key
   * @param {any} id of a peer that no host has any more
   */
  #left(key, id) {
    this.#present.delete(key);
    this.#tell(key, id);
  }

  /** @param {string} host all of whose peers are out of reach */
  leaveAll(host) {
    for (const [key, there] of this.#present) this.leave(host, typeof there === 'string' ? key : there.id);
  }

  /**
   * @param {string} key
   * @param {any} id of a peer that has come or gone
   */
  #tell(key, id) {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve({ value: this.#change(key, id), done: false });
    else if (!this.#changes.delete(key)) this.#changes.set(key, id);
  }

  /**
   * @param {string} key
   * @param {any} id
   * @returns {Change}
   */
  #change(key, id) {
    return { type: this.#present.has(key) ? 'join' : 'leave', id };
  }

  /** How many changes the program has not taken. */
  get unread() {
    return this.#changes.size;
  }

  /** @param {any} err why it cannot go on */
  fail(err) {
    this.#stop(err);
  }

  /** @param {any} [err] */
  #stop(err) {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#signal !== undefined) unfollow(this.#signal, this.#onAbort);
    this.#end();
    this.#changes.clear();
    this.#present.clear();
    const waiting = this.#waiting;
    this.#waiting = [];
    if (err !== undefined && waiting.length === 0) this.#error = { err };
    for (const { resolve, reject } of waiting) {
      if (err === undefined) resolve({ value: undefined, done: true });
      else reject(err);
    }
  }

  /** @returns {Promise<IteratorResult<Change>>} */
  next() {
    const first = this.#first.take();
    if (first !== undefined) return Promise.resolve({ value: this.#change(first[0], first[1]), done: false });
    if (this.#error !== null) {
      const { err } = this.#error;
      this.#error = null;
      return Promise.reject(err);
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** @returns {Promise<IteratorResult<Change>>} */
  return() {
    this.#stop();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

/**
 * What watches need of their host.
 * @typedef {object} Home
 * @property {Pick<import('../peer/residents.js'), 'get' | 'ids' | 'visit' | 'walk'>} residents
 * @property {Pick<import('../host/settings.js'), 'mostWatches'>} settings
 */

/** All that this host watches, and that is watched here. */
class Watches {
  #home;
  #notes;
  /** @type {Map<Watch, {pattern: string, numbers: Map<string, number>}>} */
  #ours = new Map();
  /** Which of our watches an answer is for, with the host that gives it. @type {Map<number, {watch: Watch, pattern: string, host: string, weight: number}>} */
  #numbers = new Map();
  #next = 1;
  /** What the connected hosts have to be told of our watches. @type {Map<string, Asks>} */
  #asks = new Map();
  /** Our watches, by their patterns. */
  #index = new Index();
  /** What others watch here. @type {Map<string, Served>} */
  #theirs = new Map();
  /** Who of them may want to know of a peer. @type {Prefixes<Served>} */
  #shared = new Prefixes();
  /** How often a peer has come or gone. */
  #seq = 0;

  /**
   * @param {Home} home
   * @param {import('./notes.js')} notes
   */
  constructor(home, notes) {
    this.#home = home;
    this.#notes = notes;
  }

  /** Whether anybody wants to know who comes and goes. */
  get busy() {
    return this.#index.size > 0 || this.#theirs.size > 0;
  }

  /**
   * @param {string} pattern
   * @param {AbortSignal} [signal]
   * @returns {AsyncIterableIterator<Change>}
   */
  watch(pattern, signal) {
    const watch = new Watch(signal, () => this.#unwatch(watch));
    this.#ours.set(watch, { pattern, numbers: new Map() });
    this.#index.add(pattern, watch);
    for (const id of this.#home.residents.ids()) if (matches(pattern, nameOf(id))) watch.join('', id);
    for (const host of this.#asks.keys()) this.#ask(watch, host);
    return watch;
  }

  /**
   * @param {Watch} watch
   * @param {string} host that is connected
   */
  #ask(watch, host) {
    const ours = this.#ours.get(watch);
    const asks = this.#asks.get(host);
    if (ours === undefined || asks === undefined) return;
    const number = this.#next++;
    ours.numbers.set(host, number);
    this.#numbers.set(number, { watch, pattern: ours.pattern, host, weight: 0 });
    asks.watch(number, ours.pattern);
    this.#notes.tell(host, asks);
  }

  /** @param {Watch} watch */
  #unwatch(watch) {
    const ours = this.#ours.get(watch);
    if (ours === undefined) return;
    this.#ours.delete(watch);
    this.#index.delete(ours.pattern, watch);
    for (const [host, number] of ours.numbers) {
      this.#numbers.delete(number);
      const asks = this.#asks.get(host);
      if (asks === undefined) continue;
      asks.unwatch(number);
      this.#notes.tell(host, asks);
    }
  }

  /** @param {string} host */
  connected(host) {
    this.#asks.set(host, new Asks((number) => this.#refused(number)));
    for (const watch of this.#ours.keys()) this.#ask(watch, host);
  }

  /** @param {string} host */
  disconnected(host) {
    this.#asks.delete(host);
    for (const [watch, { numbers }] of this.#ours) {
      const number = numbers.get(host);
      if (number === undefined) continue;
      numbers.delete(host);
      this.#numbers.delete(number);
      watch.leaveAll(host);
    }
    const served = this.#theirs.get(host);
    if (served === undefined) return;
    this.#theirs.delete(host);
    this.#notes.slices.delete(served);
    served.end();
  }

  /** @param {number} number of a watch of ours that a host has no room for */
  #refused(number) {
    const ours = this.#numbers.get(number);
    if (ours !== undefined) ours.watch.fail(tooManyWatches(ours.host));
  }

  closed() {
    for (const host of [...this.#theirs.keys()]) this.disconnected(host);
    this.#asks.clear();
    for (const watch of [...this.#ours.keys()]) void watch.return();
  }

  /**
   * @param {string} host
   * @param {string} kind
   * @param {any[]} args
   * @param {any} message
   * @returns {boolean} false when nobody here wants to know
   */
  take(host, kind, [number, pattern], message) {
    if (kind === WATCH) return this.#watched(host, number, pattern);
    if (kind === UNWATCH) {
      this.#theirs.get(host)?.unwatch(number);
    } else {
      const ours = this.#numbers.get(number);
      if (ours === undefined || ours.host !== host) return false;
      for (const change of Array.isArray(message) ? message : []) {
        if (!Array.isArray(change)) continue;
        const [here, id] = change;
        const name = nameOf(id);
        if (!matches(ours.pattern, name)) continue;
        if (here ? !ours.watch.join(host, id) : !ours.watch.leave(host, id)) continue;
        ours.weight += here ? weightOf(name.length) : -weightOf(name.length);
        if (ours.weight > MOST_TOLD || ours.watch.unread > MOST_UNREAD) {
          ours.watch.fail(tooManyPeers(host));
          break; // it has ended, and shall not be filled again
        }
      }
    }
    return true;
  }

  /**
   * Another host wants to know which peers here match.
   * @param {string} host
   * @param {any} number
   * @param {any} pattern
   * @returns {boolean} false when there is no room for one more
   */
  #watched(host, number, pattern) {
    if (!Number.isSafeInteger(number) || typeof pattern !== 'string') return true; // it breaks the protocol
    let served = this.#theirs.get(host);
    if (served === undefined) this.#theirs.set(host, (served = this.#serve(host)));
    if (served.weight + weightOf(pattern.length) > this.#home.settings.mostWatches) return false;
    served.watch(number, pattern, this.#seq);
    return true;
  }

  /** @param {string} host */
  #serve(host) {
    const { slices } = this.#notes;
    return new Served({
      residents: this.#home.residents,
      shared: this.#shared,
      wake: (served) => slices.add(served),
      tell: (served) => this.#notes.tell(host, served)
    });
  }

  /**
   * A peer lives here now, or not any more. This takes as long as there are hosts that may want to know, at most, however many watches
   * they have.
   * @param {any} id
   * @param {boolean} here
   */
  changed(id, here) {
    const name = nameOf(id);
    for (const watch of this.#index.find(name)) {
      if (here) watch.join('', id);
      else watch.leave('', id);
    }
    if (this.#theirs.size === 0) return;
    const seq = ++this.#seq;
    /** @type {Set<Served> | undefined} */
    let concerned;
    for (const found of this.#shared.find(name)) {
      concerned ??= new Set();
      if (found instanceof Set) for (const served of found) concerned.add(served);
      else concerned.add(found);
    }
    if (concerned === undefined) return;
    const told = asTold(id, name);
    for (const served of concerned) served.changed(name, told, here, seq);
  }
}

module.exports = Watches;
