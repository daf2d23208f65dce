'use strict';

const owners = require('./owner.js');
const { error } = require('./errors.js');
const { checkFunction } = require('./validate.js');

/** @typedef {(...args: any[]) => any} Listener */

/**
 * Private fields on objects that a plain function made: `Peer.call(this, id)` must keep working, and a million peers must stay small.
 * The single listener of 'message', which is what nearly every peer has, is stored bare; arrays are copied when they change, so that
 * an emit goes on with what it began with.
 */
class Fields extends /** @type {new (peer: object) => object} */ (/** @type {any} */ (function (/** @type {object} */ peer) { return peer; })) {
  /** @type {((from: any, to: any, message: any) => any) | undefined} */
  #send;
  /** @type {Listener | Listener[] | undefined} */
  #message;
  /** @type {Map<any, Listener | Listener[]> | undefined} */
  #others;

  /**
   * @param {object} peer
   * @param {any} send
   */
  static add(peer, send) {
    /** @type {Fields} */ (#send in peer ? peer : new Fields(peer)).#send = send;
  }

  /** @param {any} peer */
  static send(peer) {
    return peer.#send;
  }

  /**
   * @param {any} peer
   * @param {any} event
   * @returns {Listener | Listener[] | undefined}
   */
  static get(peer, event) {
    return event === 'message' ? peer.#message : peer.#others === undefined ? undefined : peer.#others.get(event);
  }

  /**
   * @param {any} peer
   * @param {any} event
   * @param {Listener | Listener[] | undefined} listeners
   */
  static set(peer, event, listeners) {
    if (event === 'message') {
      peer.#message = listeners;
    } else if (listeners !== undefined) {
      if (peer.#others === undefined) peer.#others = new Map();
      peer.#others.set(event, listeners);
    } else if (peer.#others !== undefined) {
      peer.#others.delete(event);
    }
  }

  /**
   * @param {any} peer
   * @param {any} event
   */
  static clear(peer, event) {
    if (event === undefined || event === 'message') peer.#message = undefined;
    if (event === undefined) peer.#others = undefined;
    else if (peer.#others !== undefined) peer.#others.delete(event);
  }
}

/**
 * An addressed endpoint. `host.create(id)` makes one.
 * @param {any} id
 * @param {(from: any, to: any, message: any) => any} [send] how a message is sent
 * @constructor
 * @this {any}
 */
function Peer(id, send) {
  this.id = id;
  Fields.add(this, send);
}

/**
 * Sends a message to another peer.
 * @param {any} to
 * @param {any} message
 */
Peer.prototype.send = function (to, message) {
  const send = Fields.send(this);
  return /** @type {any} */ (send)(this.id, to, message);
};

/**
 * Sends a message to all peers in the network whose ids match, but not to itself. Without a pattern: to all peers.
 * @param {any} pattern
 * @param {any} [message]
 * @param {any} [options] `self`: also to itself
 */
Peer.prototype.broadcast = function (pattern, message, options) {
  const core = owners.get(Fields.send(this));
  if (core === undefined) throw error('ERR_NO_HOST', 'This peer was not created by a host');
  const { broadcasts } = core.notes;
  return arguments.length > 1 ? broadcasts.begin(this.id, pattern, message, options) : broadcasts.begin(this.id, null, pattern, options);
};

/**
 * Calls the listeners of an event in order, synchronously. What one throws is thrown, and the later ones are not called.
 * @param {any} event
 * @param {any} from
 * @param {any} message
 */
Peer.prototype.emit = function (event, from, message) {
  const listeners = Fields.get(this, event);
  if (listeners === undefined) return false;
  if (typeof listeners === 'function') {
    listeners(from, message);
  } else {
    for (let i = 0; i < listeners.length; i++) {
      const listener = listeners[i];
      listener(from, message);
    }
  }
  return true;
};

/**
 * @param {any} event
 * @param {Listener} callback called as callback(from, message) for 'message'
 */
Peer.prototype.on = function (event, callback) {
  checkFunction(callback, 'callback');
  const listeners = Fields.get(this, event);
  Fields.set(this, event, listeners === undefined ? callback
    : typeof listeners === 'function' ? [listeners, callback] : [...listeners, callback]);
  return this;
};

/**
 * @param {any} event
 * @param {Listener} callback called for the next message only
 */
Peer.prototype.once = function (event, callback) {
  checkFunction(callback, 'callback');
  let called = false;
  /** @type {Listener & {listener?: Listener}} */
  const wrapper = (from, message) => {
    if (called) return;
    called = true;
    Peer.prototype.off.call(this, event, wrapper);
    callback(from, message);
  };
  wrapper.listener = callback;
  return Peer.prototype.on.call(this, event, wrapper);
};

/**
 * Removes the listener that was added last, if it was added several times.
 * @param {any} event
 * @param {Listener} callback
 */
Peer.prototype.off = function (event, callback) {
  checkFunction(callback, 'callback');
  const listeners = Fields.get(this, event);
  if (listeners === undefined) return this;
  const array = typeof listeners === 'function' ? [listeners] : listeners;
  const index = array.findLastIndex((listener) => original(listener) === callback || listener === callback);
  if (index !== -1) {
    const rest = array.filter((_, i) => i !== index);
    Fields.set(this, event, rest.length === 0 ? undefined : rest.length === 1 ? rest[0] : rest);
  }
  return this;
};

/** @param {any} [event] all events when missing */
Peer.prototype.removeAllListeners = function (event) {
  Fields.clear(this, event);
  return this;
};

/**
 * @param {any} event
 * @returns {Listener[]} a copy
 */
Peer.prototype.listeners = function (event) {
  const listeners = Fields.get(this, event);
  if (listeners === undefined) return [];
  return typeof listeners === 'function' ? [original(listeners)] : listeners.map(original);
};

/**
 * @param {any} event
 * @returns {number}
 */
Peer.prototype.listenerCount = function (event) {
  const listeners = Fields.get(this, event);
  return listeners === undefined ? 0 : typeof listeners === 'function' ? 1 : listeners.length;
};

Peer.prototype.addListener = Peer.prototype.on;
Peer.prototype.removeListener = Peer.prototype.off;

/**
 * What was given to `once`, or the listener itself.
 * @param {Listener & {listener?: Listener}} listener
 * @returns {Listener}
 */
function original(listener) {
  return typeof listener.listener === 'function' ? listener.listener : listener;
}

module.exports = Peer;
