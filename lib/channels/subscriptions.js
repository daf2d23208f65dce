'use strict';

const dictionary = require('../common/dictionary.js');
const { CHANGES, LINES } = require('../crossing/contract.js');
const { badProperty } = require('../common/errors.js');
const { Patterns, isPattern } = require('./patterns.js');

/** @typedef {(message: any, channel?: string) => any} Callback */

const { CHANNELS, PATTERNS } = LINES;
const { LESS, MORE } = CHANGES;

/**
 * The subscriptions of a host. They stand in `host.channels`, which programs may change by hand: what they see there is a proxy, so that
 * changes are noticed; whoever calls subscribers does not go through it.
 */
class Subscriptions {
  /** @param {(kind: string, name: string) => void} tell */
  constructor(tell) {
    this.tell = tell;
    /** Callbacks by channel or pattern. */
    this.channels = dictionary();
    /** Callbacks by names with a `*` that is meant literally. */
    this.exact = dictionary();
    /** @type {Patterns} */
    this.patterns = new Patterns();
    /** What other hosts are told, with its kind before it; the value is what stands in `patterns`. @type {Map<string, any>} */
    this.told = new Map();
    this.next = 0;
    /** How many names with a `*` are listened to: while there are none, a channel's name is all that is needed to find its subscribers. */
    this.starred = 0;
    this.replaced = false;
    /** How many subscriptions have ended. */
    this.ended = 0;
    this.visible = this.watch(this.channels);
  }

  /**
   * @param {any} channels
   * @returns {any}
   */
  watch(channels) {
    const changed = (/** @type {any} */ done, /** @type {any} */ key) => {
      if (done && channels === this.channels) this.changed(key);
      return done;
    };
    return new Proxy(channels, {
      defineProperty: (target, key, descriptor) => changed(Reflect.defineProperty(target, key, descriptor), key),
      deleteProperty: (target, key) => changed(Reflect.deleteProperty(target, key), key)
    });
  }

  /**
   * The program puts an object of its own in the place of `host.channels`. It may change that without our notice, so from now on
   * other hosts are told that everything is listened to.
   * @param {any} channels
   */
  replace(channels) {
    const given = typeof channels === 'object' && channels !== null;
    const names = new Set(given ? namesIn(channels) : []);
    for (const topic of this.told.keys()) names.add(topic.slice(1));
    this.channels = given ? channels : dictionary();
    this.visible = given ? this.watch(channels) : channels;
    this.replaced = true;
    this.changed('**');
    for (const name of names) this.changed(name);
  }

  /**
   * @param {any} channel
   * @param {Callback} callback
   * @param {boolean} exact
   */
  add(channel, callback, exact) {
    const store = this.storeOf(channel, exact);
    try {
      const callbacks = store[channel];
      if (Array.isArray(callbacks)) {
        callbacks.push(callback);
        return;
      }
      store[channel] = [callback];
    } catch (cause) {
      throw badProperty('What stands in host.channels', cause);
    }
    this.changed(channel);
  }

  /**
   * @param {any} channel
   * @param {Callback} callback
   * @param {boolean} exact
   */
  remove(channel, callback, exact) {
    const store = this.storeOf(channel, exact);
    try {
      const callbacks = store[channel];
      if (!Array.isArray(callbacks)) return;
      const index = callbacks.indexOf(callback);
      if (index === -1) return;
      callbacks.splice(index, 1);
      this.ended++;
      if (callbacks.length > 0) return;
      delete store[channel];
    } catch (cause) {
      throw badProperty('What stands in host.channels', cause);
    }
    this.changed(channel);
  }

  /**
   * @param {any} channel
   * @param {boolean} exact
   */
  storeOf(channel, exact) {
    return exact && typeof channel !== 'symbol' && isPattern(String(channel)) ? this.exact : this.channels;
  }

  /** @param {any} key under which something stands, or not any more */
  changed(key) {
    if (typeof key === 'symbol') return; // no other host can name it
    const name = String(key);
    const stands = isListened(this.channels, name) || (this.replaced && name === '**');
    if (isPattern(name)) {
      this.adjust(PATTERNS, name, stands);
      this.adjust(CHANNELS, name, Array.isArray(this.exact[name]));
    } else {
      this.adjust(CHANNELS, name, stands);
    }
  }

  /**
   * @param {string} kind
   * @param {string} name
   * @param {boolean} stands
   */
  adjust(kind, name, stands) {
    const topic = kind + name;
    if (stands === this.told.has(topic)) return;
    if (stands) {
      const value = { name, order: this.next++ };
      if (kind === PATTERNS) this.patterns.add(name, value);
      this.told.set(topic, value);
    } else {
      if (kind === PATTERNS) this.patterns.delete(name, this.told.get(topic));
      this.told.delete(topic);
    }
    if (isPattern(name)) this.starred += stands ? 1 : -1;
    this.tell(kind + (stands ? MORE : LESS), name);
  }

  /** Tells everything that is listened to, once more. */
  tellAll() {
    for (const topic of this.told.keys()) this.tell(topic[0] + MORE, topic.slice(1));
  }

  /**
   * Calls the subscribers that were there at the beginning and still are: those of the channel, then those of patterns.
   * @param {any} channel
   * @param {any} message
   */
  publish(channel, message) {
    if (this.starred > 0 && typeof channel !== 'symbol') this.publishAll(String(channel), message);
    else this.callAll(this.channels[channel], message);
  }

  /**
   * Whether anybody would be called. What the program has put in the place of `host.channels` may throw: then it is found out as usual.
   * @param {any} channel
   */
  isHeard(channel) {
    try {
      if (this.starred === 0 || typeof channel === 'symbol') return Array.isArray(this.channels[channel]);
      const name = String(channel);
      const own = isPattern(name) ? this.exact[name] : this.channels[name];
      return Array.isArray(own) || this.patterns.find(name).length > 0;
    } catch {
      return true;
    }
  }

  /**
   * @param {any} callbacks
   * @param {any} message
   */
  callAll(callbacks, message) {
    if (!Array.isArray(callbacks)) return;
    if (callbacks.length === 1) {
      callbacks[0](message);
      return;
    }
    const before = callbacks.slice();
    const { ended } = this;
    for (let i = 0; i < before.length; i++) if (this.stands(before, i, callbacks, ended)) before[i](message);
  }

  /**
   * @param {string} name
   * @param {any} message
   */
  publishAll(name, message) {
    const own = isPattern(name) ? this.exact[name] : this.channels[name];
    const lists = this.patterns
      .find(name)
      .sort((a, b) => a.order - b.order)
      .map((value) => this.channels[value.name]);
    const before = lists.map((callbacks) => (Array.isArray(callbacks) ? callbacks.slice() : []));
    const { ended } = this;
    this.callAll(own, message);
    for (let i = 0; i < lists.length; i++) {
      for (let n = 0; n < before[i].length; n++) {
        if (this.stands(before[i], n, lists[i], ended)) before[i][n](message, name);
      }
    }
  }

  /**
   * Whether a subscription is still there that was when the publish began.
   * @param {Callback[]} before the subscribers as they were then
   * @param {number} index of the subscription among them
   * @param {Callback[]} callbacks the subscribers as they are
   * @param {number} ended how many had ended then
   */
  stands(before, index, callbacks, ended) {
    if (ended === this.ended && callbacks.length >= before.length && callbacks[index] === before[index]) return true;
    const callback = before[index];
    // Of several subscriptions of one callback the first one ends first: those that are left are the last ones.
    let rest = 1;
    for (let i = before.indexOf(callback, index + 1); i !== -1; i = before.indexOf(callback, i + 1)) rest++;
    for (let i = callbacks.indexOf(callback); i !== -1 && rest > 0; i = callbacks.indexOf(callback, i + 1)) rest--;
    return rest === 0;
  }
}

/**
 * @param {object} channels
 * @returns {string[]}
 */
function namesIn(channels) {
  try {
    return Object.keys(channels);
  } catch (cause) {
    throw badProperty('That value for host.channels', cause);
  }
}

/**
 * @param {any} channels
 * @param {string} name
 */
function isListened(channels, name) {
  try {
    return Array.isArray(channels[name]);
  } catch {
    return false; // nobody can be called
  }
}

module.exports = Subscriptions;
