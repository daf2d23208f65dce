'use strict';

const { takeChunk } = require('./telling.js');

/** The head of what is told of members. */
const MEMBERS = 'g';

/**
 * @typedef {import('./entries.js').Entry} Entry
 * @typedef {{entry: Entry, told: boolean, mark: number, alone: boolean}} Change `told`: whether the host believes in members
 */

/** What one host is told of the members of groups here, as a source of its line. */
class MembersTold {
  /** Entries that have changed since the host was told, in the order in which they did. @type {Map<Entry, Change>} */
  #changed = new Map();
  /** Whether what was told over an earlier connection counts no more. */
  #whole;
  /** Whether a whole is being told, in several notes. */
  #telling = false;
  /** Changes so far, and those of them that the host knows of. */
  #marks = 0;
  #known = 0;
  #flying = 0;
  /** @type {{mark: number, resolve: () => void, reject: (err: Error) => void}[]} */
  #waiting = [];
  #onRefused;
  /** That the host has no room for all members, once it has said so. @type {Error | null} */
  #refused = null;

  /**
   * @param {boolean} whole
   * @param {Entry[]} entries with members here
   * @param {() => void} onRefused is called when the host says that it has no room for all of them
   */
  constructor(whole, entries, onRefused) {
    this.#onRefused = onRefused;
    this.#whole = whole;
    if (whole) this.#marks++;
    for (const entry of entries) this.changed(entry, 0);
  }

  /**
   * @param {Entry} entry
   * @param {number} before how many members it had
   */
  changed(entry, before) {
    const change = this.#changed.get(entry);
    if (change === undefined) this.#changed.set(entry, { entry, told: before > 0, mark: ++this.#marks, alone: false });
    // Who has come and gone before anything was told of it is not told of at all.
    else if (entry.here.length === 0 && !change.told) this.#changed.delete(entry);
  }

  next() {
    if (this.#changed.size === 0 && !this.#whole) {
      this.#reached();
      return undefined;
    }
    const changes = takeChunk(this.#changed, ({ entry, alone }) =>
      alone ? Infinity : entry.name.length + entry.group.length + 20
    );
    const rows = changes.map(({ entry: { name, pattern, group, here } }) => [name, pattern, group, here.length]);
    this.#telling ||= this.#whole;
    // More will come of what is told anew: until then nobody must be taken for gone.
    const value = this.#telling && this.#changed.size > 0 ? [this.#whole, rows, true] : [this.#whole, rows];
    this.#telling &&= this.#changed.size > 0;
    this.#whole = false;
    this.#flying++;
    const upto = this.#upto();
    const taken = () => {
      this.#flying--;
      this.#known = Math.max(this.#known, upto);
      this.#reached();
    };
    const failed = (/** @type {any} */ err) => {
      // What is too large even alone has a name that the host would not accept.
      if (err.code === 'ERR_MESSAGE_TOO_LARGE' && changes.length > 1) this.#again(changes);
      else {
        if (err.code === 'ERR_PEER_NOT_FOUND') this.#onRefused();
        taken();
      }
    };
    return { head: MEMBERS + '[]', value, taken, failed };
  }

  /**
   * Tells each alone.
   * @param {Change[]} changes
   */
  #again(changes) {
    this.#flying--;
    const later = this.#changed;
    this.#changed = new Map(changes.map((change) => [change.entry, { ...change, alone: true }]));
    for (const [entry, change] of later) if (!this.#changed.has(entry)) this.#changed.set(entry, change);
  }

  /** Up to which change everything has been said. */
  #upto() {
    const first = this.#changed.values().next();
    return first.done ? this.#marks : first.value.mark - 1;
  }

  #reached() {
    const all = this.#flying === 0 && this.#changed.size === 0 && !this.#whole;
    this.#waiting = this.#waiting.filter(({ mark, resolve }) => {
      if (!all && mark > this.#known) return true;
      resolve();
      return false;
    });
  }

  /** @returns {Promise<void> | undefined} resolves when the host knows of everything that has changed until now */
  known() {
    if (this.#refused !== null) return Promise.reject(this.#refused);
    if (this.#flying === 0 && this.#changed.size === 0 && !this.#whole) return undefined;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ mark: this.#marks, resolve, reject });
    });
  }

  /**
   * The host has no room for all members here.
   * @param {Error} err
   * @returns {boolean} whether that is new
   */
  refuse(err) {
    if (this.#refused !== null) return false;
    this.#refused = err;
    for (const { reject } of this.#waiting.splice(0)) reject(err);
    return true;
  }

  /** The host is not connected any more: nobody waits for it. */
  end() {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }
}

module.exports = { MEMBERS, MembersTold };
