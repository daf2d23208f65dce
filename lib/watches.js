'use strict';

const { abortError, nameOf } = require('./errors.js');
const { follow, unfollow } = require('./signals.js');
const { microtask } = require('./platform.js');
const { matcher } = require('./patterns.js');

/** So many changes go into one note. */
const CHUNK = 10000;

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

/** What others watch here: their patterns, and the changes of this turn. */
class Watcher {
  /**
   * @param {string} host
   * @param {number} number
   * @param {(name: string) => boolean} matches
   */
  constructor(host, number, matches) {
    this.host = host;
    this.number = number;
    this.matches = matches;
    /** @type {any[]} each as [1 or 0, id] */
    this.changes = [];
  }
}

/** All that this host watches, and that is watched here. */
class Watches {
  static WATCH = 'w';
  static UNWATCH = 'u';
  static CHANGES = 'c';

  #core;
  /** @type {Map<Watch, {pattern: string, matches: (name: string) => boolean, numbers: Map<string, number>}>} */
  #ours = new Map();
  /** Which of our watches an answer is for, with the host that gives it. @type {Map<number, {watch: Watch, host: string}>} */
  #numbers = new Map();
  #next = 1;
  /** @type {Map<string, Watcher>} */
  #theirs = new Map();
  #scheduled = false;

  /** @param {import('./core.js')} core */
  constructor(core) {
    this.#core = core;
  }

  /** Whether anybody wants to know who comes and goes. */
  get busy() {
    return this.#ours.size > 0 || this.#theirs.size > 0;
  }

  /**
   * @param {string} pattern
   * @param {AbortSignal} [signal]
   * @returns {AsyncIterableIterator<Change>}
   */
  watch(pattern, signal) {
    const watch = new Watch(signal, () => this.#unwatch(watch));
    const matches = matcher(pattern);
    this.#ours.set(watch, { pattern, matches, numbers: new Map() });
    for (const id of this.#core.localIds()) if (matches(nameOf(id))) watch.join('', id);
    for (const host of this.#core.hostIds()) this.#ask(watch, host);
    return watch;
  }

  /**
   * @param {Watch} watch
   * @param {string} host
   */
  #ask(watch, host) {
    const ours = this.#ours.get(watch);
    if (ours === undefined) return;
    const number = this.#next++;
    ours.numbers.set(host, number);
    this.#numbers.set(number, { watch, host });
    // If that host is not there any more, there is nobody to watch.
    this.#core.note(host, Watches.WATCH + JSON.stringify([number, ours.pattern]), null).then(undefined, () => {});
  }

  /** @param {Watch} watch */
  #unwatch(watch) {
    const ours = this.#ours.get(watch);
    if (ours === undefined) return;
    this.#ours.delete(watch);
    for (const [host, number] of ours.numbers) {
      this.#numbers.delete(number);
      this.#core.note(host, Watches.UNWATCH + JSON.stringify([number]), null).then(undefined, () => {});
    }
  }

  /** @param {string} host */
  connected(host) {
    for (const watch of this.#ours.keys()) this.#ask(watch, host);
  }

  /** @param {string} host */
  disconnected(host) {
    for (const [watch, { numbers }] of this.#ours) {
      const number = numbers.get(host);
      if (number === undefined) continue;
      numbers.delete(host);
      this.#numbers.delete(number);
      watch.leaveAll(host);
    }
    for (const [key, watcher] of this.#theirs) if (watcher.host === host) this.#theirs.delete(key);
  }

  closed() {
    this.#theirs.clear();
    for (const watch of [...this.#ours.keys()]) void watch.return();
  }

  /**
   * @param {string} host
   * @param {string} kind
   * @param {any[]} args
   * @param {any} message
   */
  take(host, kind, [number, pattern], message) {
    const key = host + ' ' + number;
    if (kind === Watches.WATCH) {
      const watcher = new Watcher(host, number, matcher(String(pattern)));
      this.#theirs.set(key, watcher);
      for (const id of this.#core.localIds()) if (watcher.matches(nameOf(id))) watcher.changes.push([1, id]);
      this.#send(watcher);
    } else if (kind === Watches.UNWATCH) {
      this.#theirs.delete(key);
    } else {
      const ours = this.#numbers.get(number);
      if (ours === undefined || ours.host !== host || !Array.isArray(message)) return;
      for (const change of message) {
        if (!Array.isArray(change)) continue;
        if (change[0]) ours.watch.join(host, change[1]);
        else ours.watch.leave(host, change[1]);
      }
    }
  }

  /**
   * A peer lives here now, or not any more.
   * @param {any} id
   * @param {boolean} here
   */
  changed(id, here) {
    const name = nameOf(id);
    for (const [watch, { matches }] of this.#ours) {
      if (!matches(name)) continue;
      if (here) watch.join('', id);
      else watch.leave('', id);
    }
    for (const watcher of this.#theirs.values()) {
      if (!watcher.matches(name)) continue;
      watcher.changes.push([here ? 1 : 0, id]);
      this.#schedule();
    }
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    microtask(() => {
      this.#scheduled = false;
      for (const watcher of this.#theirs.values()) this.#send(watcher);
    });
  }

  /** @param {Watcher} watcher */
  #send(watcher) {
    const { changes } = watcher;
    watcher.changes = [];
    const head = Watches.CHANGES + JSON.stringify([watcher.number]);
    for (let i = 0; i < changes.length; i += CHUNK) {
      this.#core.note(watcher.host, head, changes.slice(i, i + CHUNK)).then(undefined, () => {});
    }
  }
}

module.exports = Watches;
