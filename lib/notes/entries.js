'use strict';

const { matches } = require('../channels/matching.js');
const { Prefixes, prefixOf } = require('../channels/prefixes.js');
const { weightOf } = require('./telling.js');

/** Up to so much may a publish look at what one other host has announced: one for each entry, more for patterns with many wildcards. */
const MOST = 1024;

/** @type {((message: any, channel?: string) => any)[]} */
const NOBODY = [];

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
    /** What it costs to look at it. */
    this.cost = pattern ? Math.max(1, name.split('*').length - 2) : 1;
    this.here = NOBODY;
    // Mostly those of one other host, and a map takes room and time. Of lost hosts as well, until they are gone.
    /** @type {string | null} */
    this.host = null;
    this.count = 0;
    /** @type {Map<string, number> | null} */
    this.others = null;
  }

  isEmpty() {
    return this.here.length === 0 && this.host === null;
  }

  /** @returns {string[]} the other hosts with members */
  hosts() {
    if (this.host === null) return [];
    return this.others === null ? [this.host] : [this.host, ...this.others.keys()];
  }

  /**
   * @param {string} host
   * @returns {number} how many members it has
   */
  countOf(host) {
    return this.host === host ? this.count : (this.others?.get(host) ?? 0);
  }

  /**
   * @param {string} host
   * @param {number} count how many members it has, at least one
   */
  put(host, count) {
    if (this.host === null || this.host === host) {
      this.host = host;
      this.count = count;
    } else {
      (this.others ??= new Map()).set(host, count);
    }
  }

  /** @param {string} host that has no members any more */
  drop(host) {
    if (this.host !== host) {
      this.others?.delete(host);
    } else {
      this.host = null;
      for (const [other, count] of this.others ?? []) {
        this.put(other, count);
        this.others?.delete(other);
        break;
      }
    }
    if (this.others?.size === 0) this.others = null;
  }

  /** What it takes of another host's room. */
  get weight() {
    return weightOf(this.name.length + this.group.length);
  }
}

/** The members of all groups, by channels and patterns, and whose turn it is in each group. */
class Entries {
  /** @type {Map<string, Entry | Map<string, Entry>>} */
  #channels = new Map();
  /** @type {Map<string, Entry | Map<string, Entry>>} */
  #patterns = new Map();
  /** The entries of patterns, by how these begin. @type {Prefixes<Entry>} */
  #prefixes = new Prefixes();
  /** Those with members here. @type {Set<Entry>} */
  #here = new Set();
  /** Those with members on other hosts, by the hosts, and what they take of their room. @type {Map<string, {entries: Set<Entry>, weight: number}>} */
  #there = new Map();
  /** Whose turn it is, by group, and how many entries the group has. @type {Map<string, {turn: number, entries: number}>} */
  #turns = new Map();
  #refuse;

  /** How many there are: asked for every message that is published. */
  size = 0;

  /** @param {(host: string) => void} refuse is called when a host has announced so many that publishing would take too long; its are gone then */
  constructor(refuse) {
    this.#refuse = refuse;
  }

  /** @returns {Entry[]} those with members here, as they are now */
  here() {
    return [...this.#here];
  }

  /**
   * @param {string} name
   * @param {boolean} pattern
   * @param {string} group
   */
  get(name, pattern, group) {
    const found = (pattern ? this.#patterns : this.#channels).get(name);
    if (found instanceof Map) return found.get(group);
    return found?.group === group ? found : undefined;
  }

  /**
   * @param {string} name
   * @param {boolean} pattern
   * @param {string} group
   */
  #of(name, pattern, group) {
    const known = this.get(name, pattern, group);
    if (known !== undefined) return known;
    const entry = new Entry(name, pattern, group);
    this.size++;
    const turns = this.#turns.get(group);
    if (turns === undefined) this.#turns.set(group, { turn: 0, entries: 1 });
    else turns.entries++;
    const names = pattern ? this.#patterns : this.#channels;
    const there = names.get(name);
    if (there instanceof Map) there.set(group, entry);
    else if (there === undefined) names.set(name, entry);
    else names.set(name, new Map([there, entry].map((one) => [one.group, one])));
    if (pattern) this.#prefixes.add(prefixOf(name), entry);
    return entry;
  }

  /** @param {Entry} entry of these, that may have no members any more */
  #tidy(entry) {
    if (!entry.isEmpty()) return;
    const { name, pattern, group } = entry;
    this.size--;
    const turns = this.#turns.get(group);
    if (turns !== undefined && --turns.entries === 0) this.#turns.delete(group);
    const names = pattern ? this.#patterns : this.#channels;
    const there = names.get(name);
    if (there instanceof Map) there.delete(group);
    if (!(there instanceof Map) || there.size === 0) names.delete(name);
    if (pattern) this.#prefixes.delete(prefixOf(name), entry);
  }

  /**
   * @param {string} name
   * @param {boolean} pattern
   * @param {string} group
   * @param {(message: any, channel?: string) => any} callback of a member here
   */
  add(name, pattern, group, callback) {
    const entry = this.#of(name, pattern, group);
    if (entry.here === NOBODY) entry.here = [callback];
    else entry.here.push(callback);
    this.#here.add(entry);
    return entry;
  }

  /**
   * @param {Entry} entry
   * @param {number} index of a member here, who leaves
   */
  remove(entry, index) {
    entry.here.splice(index, 1);
    if (entry.here.length === 0) this.#here.delete(entry);
    this.#tidy(entry);
  }

  /**
   * Another host has so many members.
   * @param {string} host
   * @param {string} name
   * @param {boolean} pattern
   * @param {string} group
   * @param {number} count
   * @param {number} most what all that it announces may weigh
   * @returns {boolean} false when that is too much, and nothing has changed
   */
  announce(host, name, pattern, group, count, most) {
    const known = this.get(name, pattern, group);
    if (known !== undefined && known.countOf(host) > 0) {
      if (count > 0) known.put(host, count);
      else this.#leave(host, known);
      return true;
    }
    if (count === 0) return true;
    let there = this.#there.get(host);
    const weight = (there?.weight ?? 0) + weightOf(name.length + group.length);
    if (weight > most) return false;
    if (there === undefined) this.#there.set(host, (there = { entries: new Set(), weight }));
    const entry = known ?? this.#of(name, pattern, group);
    entry.put(host, count);
    there.entries.add(entry);
    there.weight = weight;
    return true;
  }

  /**
   * @param {string} host
   * @param {Entry} entry in which it has members
   */
  #leave(host, entry) {
    entry.drop(host);
    const there = this.#there.get(host);
    if (there?.entries.delete(entry)) there.weight -= entry.weight;
    if (there?.entries.size === 0) this.#there.delete(host);
    this.#tidy(entry);
  }

  /**
   * @param {string} host whose members count no more
   * @returns {Set<string>} the groups that they were in
   */
  forget(host) {
    const groups = new Set();
    for (const entry of this.#there.get(host)?.entries ?? []) {
      groups.add(entry.group);
      entry.drop(host);
      this.#tidy(entry);
    }
    this.#there.delete(host);
    return groups;
  }

  /**
   * @param {string} channel
   * @returns {Iterable<Entry>} those that may listen to it
   */
  *#candidates(channel) {
    const named = this.#channels.get(channel);
    if (named instanceof Map) yield* named.values();
    else if (named !== undefined) yield named;
    for (const found of this.#prefixes.find(channel)) {
      if (found instanceof Set) yield* found;
      else yield found;
    }
  }

  /**
   * @param {string} channel
   * @param {string} [only] that group
   * @returns {Map<string, Entry[]>} by group
   */
  found(channel, only) {
    for (;;) {
      const groups = this.#found(channel, only, MOST);
      if (groups !== null) return groups;
      const host = this.#costly(channel);
      if (host === undefined) return /** @type {Map<string, Entry[]>} */ (this.#found(channel, only, Infinity));
      this.#refuse(host);
    }
  }

  /**
   * @param {string} channel
   * @param {string | undefined} only
   * @param {number} most
   * @returns {Map<string, Entry[]> | null} by group; null when it costs more
   */
  #found(channel, only, most) {
    /** @type {Map<string, Entry[]>} */
    const groups = new Map();
    let cost = 0;
    for (const entry of this.#candidates(channel)) {
      cost += entry.cost;
      if (cost > most) return null;
      if (only !== undefined && entry.group !== only) continue;
      if (entry.pattern && !matches(entry.name, channel)) continue;
      const entries = groups.get(entry.group);
      if (entries === undefined) groups.set(entry.group, [entry]);
      else entries.push(entry);
    }
    return groups;
  }

  /**
   * @param {string} channel
   * @returns {string | undefined} a host that alone has announced too much that may concern it
   */
  #costly(channel) {
    /** @type {Map<string, number>} */
    const costs = new Map();
    for (const entry of this.#candidates(channel)) {
      if (entry.here.length > 0) continue;
      for (const host of entry.hosts()) {
        const cost = (costs.get(host) ?? 0) + entry.cost;
        if (cost > MOST) return host;
        costs.set(host, cost);
      }
    }
    return undefined;
  }

  /**
   * @param {string} channel
   * @param {string} group
   * @returns {Entry[]} those of that group that listen to the channel
   */
  ofGroup(channel, group) {
    return this.found(channel, group).get(group) ?? [];
  }

  /**
   * @param {string} group
   * @returns {number} whose turn it is now; then the next one's
   */
  turn(group) {
    const turns = this.#turns.get(group);
    return turns === undefined ? 0 : turns.turn++;
  }
}

module.exports = { Entries, Entry };
