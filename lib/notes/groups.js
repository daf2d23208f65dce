'use strict';

const Deadlines = require('../common/deadlines.js');
const { timedOut } = require('../common/errors.js');
const { Job, Jobs } = require('./jobs.js');
const { MembersTold } = require('./members_told.js');
const { isPattern } = require('../channels/patterns.js');
const { Entries } = require('./entries.js');
const { microtask } = require('../platform/index.js');

/**
 * What groups need of their host.
 * @typedef {object} OfGroups
 * @property {Pick<import('../host/settings.js'), 'requestTimeout'>} settings
 * @property {Pick<import('../host/life.js').Life, 'id'>} life
 * @property {Pick<import('../host/guard.js'), 'draining'>} guard
 * @property {Pick<import('../host/mirror.js'), 'hosts'>} network
 * @property {Pick<import('../crossing/outbound.js').Outbound, 'encoded'>} outbound
 */

/** @typedef {OfGroups & import('./jobs.js').Home} Home */

/** Subscriptions of which one in a group gets each message. Every host knows how many members the others have. */
class Groups {
  #home;
  #notes;
  #jobs;
  #entries = new Entries();
  /** What the connected hosts have been told. @type {Map<string, MembersTold>} */
  #told = new Map();
  /** The keys of hosts that have members, or had. @type {Map<string, string>} */
  #keys = new Map();
  /** Groups that others are just telling of. @type {Set<string>} */
  #changed = new Set();
  /** Whether there ever were members here: then others may believe that there are. */
  #ever = false;
  /** @type {Deadlines<{timeout: number, deadline: number, fail: () => void}>} */
  #barriers = new Deadlines((barrier) => barrier.fail());

  /**
   * @param {Home} home
   * @param {import('./notes.js')} notes
   */
  constructor(home, notes) {
    this.#home = home;
    this.#notes = notes;
    this.#jobs = new Jobs(home, this);
  }

  /** Whether there are any groups, here or elsewhere. */
  get busy() {
    return this.#entries.size > 0;
  }

  /** How many jobs wait for a lost host. */
  get waiting() {
    return this.#jobs.waiting;
  }

  /** @returns {Promise<void>} resolves when every job has been taken, or dropped */
  settled() {
    return this.#jobs.settled();
  }

  /**
   * @param {string} name
   * @param {boolean} exact
   * @param {string} group
   * @param {(message: any, channel?: string) => any} callback
   */
  add(name, exact, group, callback) {
    const entry = this.#entries.of(name, !exact && isPattern(name), group);
    entry.here.push(callback);
    this.#ever = true;
    this.#tellAll(entry, entry.here.length - 1);
    // Not within the call that subscribes.
    if (this.#jobs.waiting > 0) microtask(() => this.#jobs.retry(group));
  }

  /**
   * @param {string} name
   * @param {boolean} exact
   * @param {string} group
   * @param {(message: any, channel?: string) => any} callback
   */
  remove(name, exact, group, callback) {
    const entry = this.#entries.get(name, !exact && isPattern(name), group);
    const index = entry === undefined ? -1 : entry.here.indexOf(callback);
    if (entry === undefined || index === -1) return;
    entry.here.splice(index, 1);
    this.#tellAll(entry, entry.here.length + 1);
    this.#entries.tidy(entry);
  }

  /**
   * Gives the message to one member of each group that listens to the channel.
   * @param {string} channel
   * @param {any} message
   */
  publish(channel, message) {
    let encoded;
    for (const [group, entries] of this.#entries.found(channel)) {
      if (this.giveHere(group, entries, channel, message) || this.#home.guard.draining !== null) continue;
      try {
        encoded ??= this.#home.outbound.encoded(channel, message);
      } catch {
        return; // told when it was published to ordinary subscribers
      }
      this.#jobs.give(new Job(this.#jobs, channel, group, encoded));
    }
  }

  /**
   * A host that knows nothing of groups has published this to everybody, so all hosts with members have got it: it is for the one with the
   * smallest id among them.
   * @param {string} channel
   * @param {any} message
   */
  publishedByV1(channel, message) {
    const { id } = this.#home.life;
    const { hosts } = this.#home.network;
    for (const [group, entries] of this.#entries.found(channel)) {
      const others = entries.flatMap((entry) => [...entry.there.keys()]).filter((host) => hosts.has(host));
      if (others.every((host) => id < host)) this.giveHere(group, entries, channel, message);
    }
  }

  /**
   * @param {string} channel
   * @param {string} group
   */
  entries(channel, group) {
    return this.#entries.ofGroup(channel, group);
  }

  /**
   * The connected host whose turn it is.
   * @param {string} group
   * @param {import('./entries.js').Entry[]} entries
   * @param {Set<string> | null} tried hosts that did not take it
   * @returns {string | null | undefined} null when the only members are on lost hosts, undefined when there are none
   */
  choose(group, entries, tried) {
    const connected = this.#home.network.hosts;
    /** @type {Map<string, number>} */
    const hosts = new Map();
    let members = 0;
    let lost = false;
    for (const { there } of entries) {
      for (const [host, count] of there) {
        if (!connected.has(host)) {
          lost = true;
        } else if (!tried?.has(host)) {
          hosts.set(host, (hosts.get(host) ?? 0) + count);
          members += count;
        }
      }
    }
    if (members === 0) return lost ? null : undefined;
    let left = this.#entries.turn(group) % members;
    for (const [host, count] of hosts) {
      left -= count;
      if (left < 0) return host;
    }
    return undefined;
  }

  /**
   * The key by which that host is, or was, connected.
   * @param {string} host
   */
  keyOf(host) {
    return this.#keys.get(host) ?? host;
  }

  /**
   * @param {string} group
   * @param {import('./entries.js').Entry[]} entries
   * @param {string} channel
   * @param {any} message
   * @returns {boolean} whether there is a member here
   */
  giveHere(group, entries, channel, message) {
    let members = 0;
    for (const { here } of entries) members += here.length;
    if (members === 0) return false;
    let index = this.#entries.turn(group) % members;
    for (const { here, pattern } of entries) {
      if (index < here.length) {
        const callback = here[index];
        if (pattern) callback(message, channel);
        else callback(message);
        break;
      }
      index -= here.length;
    }
    return true;
  }

  /**
   * Another host has chosen a member here.
   * @param {any[]} args
   * @param {any} message
   * @returns {boolean} false when there is none
   */
  take([channel, group], message) {
    return this.giveHere(
      String(group),
      this.#entries.ofGroup(String(channel), String(group)),
      String(channel),
      message
    );
  }

  // Telling each other.

  /**
   * @param {import('./entries.js').Entry} entry whose members here have become more or fewer
   * @param {number} before how many they were
   */
  #tellAll(entry, before) {
    for (const [host, told] of this.#told) {
      told.changed(entry, before);
      this.#notes.tell(host, told);
    }
  }

  /** Resolves when all hosts that are connected know who is here. */
  ready() {
    const waiting = [...this.#told.values()].map((told) => told.known()).filter((known) => known !== undefined);
    if (waiting.length === 0) return Promise.resolve();
    return new Promise((/** @type {(value?: any) => void} */ resolve, reject) => {
      const barrier = {
        timeout: this.#home.settings.requestTimeout,
        deadline: 0,
        fail: () => {
          if (this.#barriers.delete(barrier)) reject(timedOut());
        }
      };
      this.#barriers.add(barrier);
      void Promise.all(waiting).then(() => {
        if (this.#barriers.delete(barrier)) resolve();
      });
    });
  }

  /** @param {string} host */
  connected(host) {
    const told = new MembersTold(
      this.#ever,
      this.#entries.all().filter((entry) => entry.here.length > 0)
    );
    this.#told.set(host, told);
    this.#notes.tell(host, told);
    // Its members count as they did before, until it tells of them anew.
    if (this.#keys.has(host)) this.#jobs.retryAll();
  }

  /** @param {string} host that may come back */
  disconnected(host) {
    this.#told.get(host)?.end();
    this.#told.delete(host);
  }

  /** @param {string} host that will not come back */
  gone(host) {
    const groups = this.#forget(host);
    this.#keys.delete(host);
    for (const group of groups) this.#jobs.retry(group);
  }

  /**
   * @param {string} host whose members count no more
   * @returns {Set<string>} the groups that they were in
   */
  #forget(host) {
    const groups = new Set();
    for (const entry of this.#entries.all()) {
      if (!entry.there.delete(host)) continue;
      groups.add(entry.group);
      this.#entries.tidy(entry);
    }
    return groups;
  }

  closed() {
    for (const host of [...this.#told.keys()]) this.disconnected(host);
    for (const host of [...this.#keys.keys()]) this.#forget(host);
    this.#keys.clear();
    this.#changed.clear();
    this.#ever = this.#entries.size > 0;
    this.#jobs.closed();
  }

  /**
   * @param {string} host
   * @param {any} message
   */
  takeMembers(host, message) {
    if (!Array.isArray(message) || !Array.isArray(message[1])) return;
    const [whole, rows, more] = message;
    this.#keys.set(host, this.#home.network.hosts.get(host) ?? host);
    if (whole === true) for (const group of this.#forget(host)) this.#changed.add(group);
    for (const row of rows) {
      if (!Array.isArray(row)) continue;
      const [name, pattern, group, count] = row;
      if (typeof name !== 'string' || typeof group !== 'string' || !Number.isSafeInteger(count) || count < 0) continue;
      const entry = this.#entries.of(name, pattern === true, group);
      if (count > 0) entry.there.set(host, count);
      else entry.there.delete(host);
      this.#entries.tidy(entry);
      if (this.#jobs.waiting > 0) this.#changed.add(group);
    }
    if (more === true) return;
    for (const group of this.#changed) this.#jobs.retry(group);
    this.#changed.clear();
  }
}

module.exports = Groups;
