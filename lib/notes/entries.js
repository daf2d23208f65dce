'use strict';

const { Patterns } = require('../channels/patterns.js');

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
    /** Of lost hosts as well, until they are gone. @type {Map<string, number>} */
    this.there = new Map();
  }

  isEmpty() {
    return this.here.length === 0 && this.there.size === 0;
  }
}

/** The members of all groups, by channels and patterns, and whose turn it is in each group. */
class Entries {
  /** @type {Map<string, Entry>} */
  #all = new Map();
  /** The entries by channel; those of patterns are in `#patterns`. @type {Map<string, Set<Entry>>} */
  #channels = new Map();
  #patterns = new Patterns();
  /** Whose turn it is, by group, and how many entries the group has. @type {Map<string, {turn: number, entries: number}>} */
  #turns = new Map();

  /** How many there are: asked for every message that is published. */
  size = 0;

  /** @returns {Entry[]} as they are now */
  all() {
    return [...this.#all.values()];
  }

  /**
   * @param {string} name
   * @param {boolean} pattern
   * @param {string} group
   */
  get(name, pattern, group) {
    return this.#all.get(keyOf(name, pattern, group));
  }

  /**
   * @param {string} name
   * @param {boolean} pattern
   * @param {string} group
   */
  of(name, pattern, group) {
    const key = keyOf(name, pattern, group);
    let entry = this.#all.get(key);
    if (entry === undefined) {
      this.#all.set(key, (entry = new Entry(name, pattern, group)));
      this.size++;
      const turns = this.#turns.get(group);
      if (turns === undefined) this.#turns.set(group, { turn: 0, entries: 1 });
      else turns.entries++;
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
  tidy(entry) {
    if (!entry.isEmpty()) return;
    if (this.#all.delete(keyOf(entry.name, entry.pattern, entry.group))) this.size--;
    const turns = this.#turns.get(entry.group);
    if (turns !== undefined && --turns.entries === 0) this.#turns.delete(entry.group);
    if (entry.pattern) {
      this.#patterns.delete(entry.name, entry);
    } else {
      const entries = this.#channels.get(entry.name);
      entries?.delete(entry);
      if (entries?.size === 0) this.#channels.delete(entry.name);
    }
  }

  /**
   * @param {string} channel
   * @returns {Map<string, Entry[]>} by group
   */
  found(channel) {
    /** @type {Map<string, Entry[]>} */
    const groups = new Map();
    for (const entry of [
      ...(this.#channels.get(channel) ?? []),
      ...(this.#patterns.size > 0 ? this.#patterns.find(channel) : [])
    ]) {
      const entries = groups.get(entry.group);
      if (entries === undefined) groups.set(entry.group, [entry]);
      else entries.push(entry);
    }
    return groups;
  }

  /**
   * @param {string} channel
   * @param {string} group
   * @returns {Entry[]} those of that group that listen to the channel
   */
  ofGroup(channel, group) {
    return this.found(channel).get(group) ?? [];
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

/**
 * @param {string} name
 * @param {boolean} pattern
 * @param {string} group
 */
function keyOf(name, pattern, group) {
  return JSON.stringify([name, pattern, group]);
}

module.exports = { Entries, Entry };
