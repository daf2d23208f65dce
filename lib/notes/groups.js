'use strict';

const Deadlines = require('../common/deadlines.js');
const { timedOut, tooManyMembers } = require('../common/errors.js');
const { Job, Jobs } = require('./jobs.js');
const { MEMBERS, MembersTold } = require('./members_told.js');
const { isPattern } = require('../channels/patterns.js');
const { Entries } = require('./entries.js');
const { microtask } = require('../platform/index.js');

/** So many members are told of in one note at most: more in it break the protocol, because a note is taken in one turn. */
const MOST_ROWS = 1024;

/**
 * What groups need of their host.
 * @typedef {object} OfGroups
 * @property {Pick<import('../host/settings.js'), 'mostMembers' | 'requestTimeout'>} settings
 * @property {Pick<import('../host/life.js').Life, 'id'>} life
 * @property {Pick<import('../host/guard.js'), 'draining'>} guard
 * @property {Pick<import('../host/mirror.js'), 'hosts'>} network
 * @property {Pick<import('../crossing/outbound.js').Outbound, 'encoded'>} outbound
 * @property {Pick<import('../host/trouble.js'), 'tell'>} trouble
 */

/** @typedef {OfGroups & import('./jobs.js').Home} Home */

/** Subscriptions of which one in a group gets each message. Every host knows how many members the others have. */
class Groups {
  #home;
  #notes;
  #jobs;
  #entries = new Entries((host) => this.#refuse(host));
  /** What the connected hosts have been told. @type {Map<string, MembersTold>} */
  #told = new Map();
  /** The keys of hosts that have members, or had. @type {Map<string, string>} */
  #keys = new Map();
  /** Groups that others are just telling of. @type {Set<string>} */
  #changed = new Set();
  /** Hosts that have announced more than there is room for, and what is beyond it does not count. @type {Set<string>} */
  #full = new Set();
  /** Hosts of which nothing counts any more, because to look at it would take too long. @type {Set<string>} */
  #costly = new Set();
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
    const entry = this.#entries.add(name, !exact && isPattern(name), group, callback);
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
    const before = entry.here.length;
    this.#entries.remove(entry, index);
    this.#tellAll(entry, before);
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
   * A host that knows nothing of groups has published this to everybody who listens, so all such hosts with members have got it: it is for
   * the one with the smallest id among them. Those without a url, which are known by their ids, have not.
   * @param {string} channel
   * @param {any} message
   */
  publishedByV1(channel, message) {
    const { id } = this.#home.life;
    const { hosts } = this.#home.network;
    for (const [group, entries] of this.#entries.found(channel)) {
      const got = (/** @type {string} */ host) => hosts.has(host) && hosts.get(host) !== host;
      const others = entries.flatMap((entry) => entry.hosts()).filter(got);
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
    for (const entry of entries) {
      for (const host of entry.hosts()) {
        if (!connected.has(host)) {
          lost = true;
        } else if (!tried?.has(host)) {
          const count = entry.countOf(host);
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

  /** Resolves when all hosts that are connected know who is here, and is rejected when one has no room for that. */
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
      Promise.all(waiting).then(
        () => {
          if (this.#barriers.delete(barrier)) resolve();
        },
        (err) => {
          if (this.#barriers.delete(barrier)) reject(err);
        }
      );
    });
  }

  /** @param {string} host */
  connected(host) {
    const told = new MembersTold(this.#ever, this.#entries.here(), () => this.refused(host));
    this.#told.set(host, told);
    this.#notes.tell(host, told);
    // Its members count as they did before, until it tells of them anew.
    if (this.#keys.has(host)) this.#jobs.retryAll();
  }

  /** @param {string} host that may come back */
  disconnected(host) {
    this.#told.get(host)?.end();
    this.#told.delete(host);
    this.#full.delete(host);
    this.#costly.delete(host);
  }

  /** @param {string} host that will not come back */
  gone(host) {
    const groups = this.#entries.forget(host);
    this.#keys.delete(host);
    for (const group of groups) this.#jobs.retry(group);
  }

  closed() {
    for (const host of [...this.#told.keys()]) this.disconnected(host);
    for (const host of [...this.#keys.keys()]) this.#entries.forget(host);
    this.#full.clear();
    this.#costly.clear();
    this.#keys.clear();
    this.#changed.clear();
    this.#ever = this.#entries.size > 0;
    this.#jobs.closed();
  }

  /**
   * @param {string} host
   * @param {any} message
   * @returns {boolean} false when there is no room for all that it says
   */
  takeMembers(host, message) {
    if (!Array.isArray(message) || !Array.isArray(message[1])) return true;
    if (this.#costly.has(host) || message[1].length > MOST_ROWS) return false;
    const [whole, rows, more] = message;
    const { mostMembers } = this.#home.settings;
    let room = true;
    this.#keys.set(host, this.#home.network.hosts.get(host) ?? host);
    if (whole === true) for (const group of this.#entries.forget(host)) this.#changed.add(group);
    for (const row of rows) {
      if (!Array.isArray(row)) continue;
      const [name, pattern, group, count] = row;
      if (typeof name !== 'string' || typeof group !== 'string' || !Number.isSafeInteger(count) || count < 0) continue;
      if (!this.#entries.announce(host, name, pattern === true, group, count, mostMembers)) room = false;
      if (this.#jobs.waiting > 0) this.#changed.add(group);
    }
    if (!room && !this.#full.has(host)) {
      this.#full.add(host);
      this.#home.trouble.tell(tooManyMembers(host));
    }
    if (more !== true) {
      for (const group of this.#changed) this.#jobs.retry(group);
      this.#changed.clear();
    }
    return room;
  }

  /**
   * That host has announced so much that nothing could be published in due time: its members count no more, until it is connected anew.
   * @param {string} host
   */
  #refuse(host) {
    this.#costly.add(host);
    const groups = this.#entries.forget(host);
    this.#notes.refuse(host, MEMBERS);
    // Not within the call that publishes.
    microtask(() => {
      this.#home.trouble.tell(tooManyMembers(host));
      for (const group of groups) this.#jobs.retry(group);
    });
  }

  /** @param {string} host that has no room for all members of groups here */
  refused(host) {
    const err = tooManyMembers(host);
    if (this.#told.get(host)?.refuse(err)) this.#home.trouble.tell(err);
  }
}

module.exports = Groups;
