'use strict';

const { abortError, nameOf } = require('../common/errors.js');
const { follow, unfollow } = require('../common/signals.js');
const { microtask } = require('../platform/index.js');
const { asTold } = require('../common/ids.js');
const { matcher } = require('../channels/patterns.js');
const { Asks, Index, UNWATCH, WATCH, Watcher } = require('./watchers.js');

/** @typedef {{type: 'join' | 'leave', id: any}} Change */

/**
 * The changes that a program has not taken yet: never more than there are peers, because a join and a leave of the same peer that nobody
 * has seen cancel each other.
 * @implements {AsyncIterableIterator<Change>}
 */
class Watch {
  /** Which hosts have a peer, by its id as text. @type {Map<string, {id: any, hosts: Set<string>}>} */
  #present = new Map();
  /** @type {Map<string, Change>} */
  #changes = new Map();
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
   */
  join(host, id) {
    const key = nameOf(id);
    const peer = this.#present.get(key);
    if (peer !== undefined) {
      peer.hosts.add(host);
      return;
    }
    this.#present.set(key, { id, hosts: new Set([host]) });
    this.#tell(key, { type: 'join', id });
  }

  /**
   * @param {string} host
   * @param {any} id of a peer that is not there any more
   */
  leave(host, id) {
    const key = nameOf(id);
    const peer = this.#present.get(key);
    if (peer === undefined || !peer.hosts.delete(host) || peer.hosts.size > 0) return;
    this.#present.delete(key);
    this.#tell(key, { type: 'leave', id: peer.id });
  }

  /** @param {string} host all of whose peers are out of reach */
  leaveAll(host) {
    for (const { id } of [...this.#present.values()]) this.leave(host, id);
  }

  /**
   * @param {string} key
   * @param {Change} change
   */
  #tell(key, change) {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve({ value: change, done: false });
    else if (!this.#changes.delete(key)) this.#changes.set(key, change);
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
    const first = this.#changes.entries().next();
    if (!first.done) {
      const [key, change] = first.value;
      this.#changes.delete(key);
      return Promise.resolve({ value: change, done: false });
    }
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
 * @typedef {{residents: Pick<import('../peer/residents.js'), 'each' | 'ids'>}} Home
 */

/** All that this host watches, and that is watched here. */
class Watches {
  #home;
  #notes;
  /** @type {Map<Watch, {pattern: string, numbers: Map<string, number>}>} */
  #ours = new Map();
  /** Which of our watches an answer is for, with the host that gives it. @type {Map<number, {watch: Watch, host: string}>} */
  #numbers = new Map();
  #next = 1;
  /** What the connected hosts have to be told of our watches. @type {Map<string, Asks>} */
  #asks = new Map();
  /** What others watch here, by host and number. @type {Map<string, Map<number, Watcher>>} */
  #theirs = new Map();
  /** Our watches and theirs. */
  #index = new Index();
  /** Those of others that something has changed for in this turn. @type {Set<Watcher>} */
  #changed = new Set();

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
    return this.#index.size > 0;
  }

  /**
   * @param {string} pattern
   * @param {AbortSignal} [signal]
   * @returns {AsyncIterableIterator<Change>}
   */
  watch(pattern, signal) {
    const watch = new Watch(signal, () => this.#unwatch(watch));
    const matches = matcher(pattern);
    this.#ours.set(watch, { pattern, numbers: new Map() });
    this.#index.add(pattern, watch);
    for (const id of this.#home.residents.ids()) if (matches(nameOf(id))) watch.join('', id);
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
    this.#numbers.set(number, { watch, host });
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
    this.#asks.set(host, new Asks());
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
    for (const watcher of this.#theirs.get(host)?.values() ?? []) this.#end(watcher);
  }

  /** @param {Watcher} watcher */
  #end(watcher) {
    const watchers = this.#theirs.get(watcher.host);
    if (watchers?.get(watcher.number) !== watcher) return;
    watchers.delete(watcher.number);
    if (watchers.size === 0) this.#theirs.delete(watcher.host);
    this.#index.delete(watcher.pattern, watcher);
    this.#changed.delete(watcher);
    watcher.stop();
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
    if (kind === WATCH) {
      this.#watched(host, number, String(pattern));
    } else if (kind === UNWATCH) {
      const watcher = this.#theirs.get(host)?.get(number);
      if (watcher !== undefined) this.#end(watcher);
    } else {
      const ours = this.#numbers.get(number);
      if (ours === undefined || ours.host !== host) return false;
      for (const change of Array.isArray(message) ? message : []) {
        if (!Array.isArray(change)) continue;
        if (change[0]) ours.watch.join(host, change[1]);
        else ours.watch.leave(host, change[1]);
      }
    }
    return true;
  }

  /**
   * Another host wants to know which peers here match.
   * @param {string} host
   * @param {number} number
   * @param {string} pattern
   */
  #watched(host, number, pattern) {
    const watchers = this.#theirs.get(host) ?? new Map();
    const before = watchers.get(number);
    if (before !== undefined) this.#end(before);
    const watcher = new Watcher(host, number, pattern, (ended) => this.#end(ended));
    this.#theirs.set(host, watchers.set(number, watcher));
    this.#index.add(pattern, watcher);
    const matches = matcher(pattern);
    this.#home.residents.each((id, _peer, told) => {
      if (matches(nameOf(id))) watcher.changed(told, true);
    });
    this.#notes.tell(host, watcher);
  }

  /**
   * A peer lives here now, or not any more.
   * @param {any} id
   * @param {boolean} here
   */
  changed(id, here) {
    const name = nameOf(id);
    for (const watcher of this.#index.find(name)) {
      if (watcher instanceof Watch) {
        if (here) watcher.join('', id);
        else watcher.leave('', id);
      } else {
        watcher.changed(asTold(id, name), here);
        this.#schedule(watcher);
      }
    }
  }

  /** @param {Watcher} watcher that is told at the end of the turn */
  #schedule(watcher) {
    if (this.#changed.size === 0) microtask(() => this.#tellChanged());
    this.#changed.add(watcher);
  }

  #tellChanged() {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const watcher of changed) this.#notes.tell(watcher.host, watcher);
  }
}

module.exports = Watches;
