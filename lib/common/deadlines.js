'use strict';

const { clearTimeout, now, setTimeout } = require('../platform/index.js');

/** The longest that a timer of Node.js can wait, in ms. */
const LONGEST = 2 ** 31 - 1;

/** @typedef {{timeout: number, deadline: number}} Waiting what waits: for `timeout` ms, until `deadline` by `now()` */

/**
 * Those who wait equally long: whoever came first is the first whose time is up, so that one timer will do.
 * @template {Waiting} T
 */
class Group {
  /** @param {(item: T) => void} expire */
  constructor(expire) {
    /** @type {Set<T>} */
    this.items = new Set();
    this.expire = expire;
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    this.onTime = () => {
      const time = now();
      for (const item of this.items) {
        if (item.deadline > time) {
          this.arm(item.deadline - time);
          break;
        }
        this.expire(item);
      }
    };
  }

  /** @param {number} ms */
  arm(ms) {
    this.timer = setTimeout(this.onTime, Math.min(Math.ceil(ms), LONGEST)).unref();
  }
}

/**
 * What waits, but not for ever. Its timers do not keep the process alive.
 * @template {Waiting} T
 */
class Deadlines {
  /** @type {Map<number, Group<T>>} */
  #groups = new Map();
  #expire;

  /** @param {(item: T) => void} expire is called with those whose time is up; it is to delete them */
  constructor(expire) {
    this.size = 0;
    this.#expire = expire;
  }

  /** @param {T} item its deadline is set */
  add(item) {
    const { timeout } = item;
    item.deadline = now() + timeout;
    let group = this.#groups.get(timeout);
    if (group === undefined) {
      group = new Group(this.#expire);
      group.arm(timeout);
      this.#groups.set(timeout, group);
    }
    group.items.add(item);
    this.size++;
  }

  /**
   * @param {T} item
   * @returns {boolean} whether it was there
   */
  delete(item) {
    const group = this.#groups.get(item.timeout);
    if (group === undefined || !group.items.delete(item)) return false;
    this.size--;
    if (group.items.size === 0) {
      clearTimeout(group.timer);
      this.#groups.delete(item.timeout);
    }
    return true;
  }

  /** @returns {T[]} */
  all() {
    return [...this.#groups.values()].flatMap((group) => [...group.items]);
  }
}

module.exports = Deadlines;
