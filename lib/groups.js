'use strict';

const { Patterns, isPattern } = require('./patterns.js');

/** Why a message that another host did not take goes to another member. */
const GONE = new Set(['ERR_PEER_NOT_FOUND', 'ERR_PEER_UNREACHABLE', 'ERR_DELIVERY_UNKNOWN', 'ERR_REQUEST_TIMEOUT']);

/** The members of a group that listen to a channel, or by a pattern: those here, and how many on which other hosts. */
class Entry {
  /**
   * @param {string} name
   * @param {boolean} pattern
   * @param {string} group
   */
  constructor(name, pattern, group) {
    this.name = name;
    this.pattern = pattern;
    this.group = group;
    /** @type {((message: any, channel?: string) => any)[]} */
    this.here = [];
    /** @type {Map<string, number>} */
    this.there = new Map();
  }

  isEmpty() {
    return this.here.length === 0 && this.there.size === 0;
  }
}

/** Subscriptions of which one in a group gets each message. Every host knows how many members the others have. */
class Groups {
  static MEMBERS = 'g';
  static MESSAGE = 'm';

  #core;
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** The entries by channel; those of patterns are in `#patterns`. @type {Map<string, Set<Entry>>} */
  #channels = new Map();
  #patterns = new Patterns();
  /** Whose turn it is, by group. @type {Map<string, number>} */
  #turns = new Map();
  /** What others have been told and have not taken yet. @type {Set<Promise<void>>} */
  #told = new Set();

  /** @param {import('./core.js')} core */
  constructor(core) {
    this.#core = core;
  }

  /** Whether there are any groups, here or elsewhere. */
  get busy() {
    return this.#entries.size > 0;
  }

  /**
   * @param {string} name
   * @param {boolean} exact
   * @param {string} group
   * @param {(message: any, channel?: string) => any} callback
   */
  add(name, exact, group, callback) {
    const entry = this.#entry(name, !exact && isPattern(name), group);
    entry.here.push(callback);
    this.#tellAll(entry);
  }

  /**
   * @param {string} name
   * @param {boolean} exact
   * @param {string} group
   * @param {(message: any, channel?: string) => any} callback
   */
  remove(name, exact, group, callback) {
    const entry = this.#entries.get(keyOf(name, !exact && isPattern(name), group));
    const index = entry === undefined ? -1 : entry.here.indexOf(callback);
    if (entry === undefined || index === -1) return;
    entry.here.splice(index, 1);
    this.#tellAll(entry);
    this.#tidy(entry);
  }

  /**
   * @param {string} name
   * @param {boolean} pattern
   * @param {string} group
   */
  #entry(name, pattern, group) {
    const key = keyOf(name, pattern, group);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, entry = new Entry(name, pattern, group));
      if (pattern) {
        this.#patterns.add(name, entry);
      } else {
        const entries = this.#channels.get(name);
        if (entries === undefined) this.#channels.set(name, new Set([entry]));
        else entries.add(entry);
      }
    }
    return entry;
  }

  /** @param {Entry} entry that may have no members any more */
  #tidy(entry) {
    if (!entry.isEmpty()) return;
    this.#entries.delete(keyOf(entry.name, entry.pattern, entry.group));
    if (entry.pattern) {
      this.#patterns.delete(entry.name, entry);
    } else {
      const entries = this.#channels.get(entry.name);
      entries?.delete(entry);
      if (entries?.size === 0) this.#channels.delete(entry.name);
    }
    if (this.#entries.size === 0) this.#turns.clear();
  }

  /**
   * Gives the message to one member of each group that listens to the channel.
   * @param {string} channel
   * @param {any} message
   */
  publish(channel, message) {
    for (const [group, entries] of this.#found(channel)) this.#give(group, entries, channel, message, null);
  }

  /**
   * A host that knows nothing of groups has published this to everybody, so all hosts with members have got it: it is for the one with the
   * smallest id among them.
   * @param {string} channel
   * @param {any} message
   */
  publishedByOriginal(channel, message) {
    const own = this.#core.id;
    for (const [group, entries] of this.#found(channel)) {
      const others = entries.flatMap((entry) => [...entry.there.keys()]);
      if (others.every((host) => own < host)) this.#giveHere(group, entries, channel, message);
    }
  }

  /**
   * @param {string} channel
   * @returns {Map<string, Entry[]>} by group
   */
  #found(channel) {
    /** @type {Map<string, Entry[]>} */
    const groups = new Map();
    for (const entry of [...(this.#channels.get(channel) ?? []), ...(this.#patterns.size > 0 ? this.#patterns.find(channel) : [])]) {
      const entries = groups.get(entry.group);
      if (entries === undefined) groups.set(entry.group, [entry]);
      else entries.push(entry);
    }
    return groups;
  }

  /** @param {string} group */
  #turn(group) {
    const turn = this.#turns.get(group) ?? 0;
    this.#turns.set(group, turn + 1);
    return turn;
  }

  /**
   * @param {string} group
   * @param {Entry[]} entries
   * @param {string} channel
   * @param {any} message
   * @param {Set<string> | null} tried hosts that did not take it
   */
  #give(group, entries, channel, message, tried) {
    if (this.#giveHere(group, entries, channel, message)) return;
    /** @type {Map<string, number>} */
    const hosts = new Map();
    let members = 0;
    for (const { there } of entries) {
      for (const [host, count] of there) {
        if (tried?.has(host)) continue;
        hosts.set(host, (hosts.get(host) ?? 0) + count);
        members += count;
      }
    }
    if (members === 0) return; // nobody is there, as when nobody has subscribed
    let left = this.#turn(group) % members;
    for (const [host, count] of hosts) {
      left -= count;
      if (left < 0) {
        this.#hand(host, group, channel, message, tried);
        return;
      }
    }
  }

  /**
   * @param {string} group
   * @param {Entry[]} entries
   * @param {string} channel
   * @param {any} message
   * @returns {boolean} whether there is a member here
   */
  #giveHere(group, entries, channel, message) {
    let members = 0;
    for (const { here } of entries) members += here.length;
    if (members === 0) return false;
    let index = this.#turn(group) % members;
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
   * @param {string} host
   * @param {string} group
   * @param {string} channel
   * @param {any} message
   * @param {Set<string> | null} tried
   */
  #hand(host, group, channel, message, tried) {
    const head = Groups.MESSAGE + JSON.stringify([channel, group]);
    this.#core.note(host, head, message).then(undefined, (/** @type {any} */ err) => {
      if (err.code === 'ERR_MESSAGE_NOT_SERIALIZABLE') {
        this.#core.trouble.tell(err);
        return;
      }
      if (!GONE.has(err.code)) return;
      const entries = this.#found(channel).get(group);
      if (entries === undefined) return;
      try {
        this.#give(group, entries, channel, message, new Set(tried).add(host));
      } catch (thrown) {
        this.#core.report(`A subscriber of channel ${channel} threw`, thrown);
      }
    });
  }

  /**
   * Another host has chosen a member here.
   * @param {any[]} args
   * @param {any} message
   * @returns {boolean} false when there is none
   */
  take([channel, group], message) {
    const entries = this.#found(String(channel)).get(String(group));
    return entries !== undefined && this.#giveHere(String(group), entries, String(channel), message);
  }

  // Telling each other.

  /** @param {Entry} entry whose members here have become more or fewer */
  #tellAll(entry) {
    for (const host of this.#core.hostIds()) this.#tell(host, false, [entry]);
  }

  /**
   * @param {string} host
   * @param {boolean} whole whether these are all
   * @param {Entry[]} entries
   */
  #tell(host, whole, entries) {
    const rows = entries.map(({ name, pattern, group, here }) => [name, pattern, group, here.length]);
    const told = this.#core.note(host, Groups.MEMBERS + '[]', [whole, rows]).then(
      () => { this.#told.delete(told); },
      () => { this.#told.delete(told); } // it is gone, or will be told anew
    );
    this.#told.add(told);
  }

  /** Resolves when all hosts that are connected know who is here. */
  ready() {
    return Promise.all(this.#told);
  }

  /** @param {string} host */
  connected(host) {
    const entries = [...this.#entries.values()].filter((entry) => entry.here.length > 0);
    if (entries.length > 0) this.#tell(host, true, entries);
  }

  /** @param {string} host */
  disconnected(host) {
    for (const entry of [...this.#entries.values()]) {
      entry.there.delete(host);
      this.#tidy(entry);
    }
  }

  closed() {
    for (const entry of [...this.#entries.values()]) {
      entry.there.clear();
      this.#tidy(entry);
    }
    this.#told.clear();
  }

  /**
   * @param {string} host
   * @param {any} message
   */
  takeMembers(host, message) {
    if (!Array.isArray(message) || !Array.isArray(message[1])) return;
    if (message[0] === true) this.disconnected(host);
    for (const row of message[1]) {
      if (!Array.isArray(row)) continue;
      const [name, pattern, group, count] = row;
      if (typeof name !== 'string' || typeof group !== 'string' || !Number.isSafeInteger(count) || count < 0) continue;
      const entry = this.#entry(name, pattern === true, group);
      if (count > 0) entry.there.set(host, count);
      else entry.there.delete(host);
      this.#tidy(entry);
    }
  }
}

/**
 * @param {string} name
 * @param {boolean} pattern
 * @param {string} group
 */
function keyOf(name, pattern, group) {
  return JSON.stringify([name, pattern, group]);
}

module.exports = Groups;
