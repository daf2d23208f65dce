'use strict';

const { warn } = require('../platform/index.js');
const owners = require('./owner.js');
const { error, textOf } = require('../common/errors.js');
const { checkFunction, checkMaxListeners } = require('../common/validate.js');
const { Fields, HANDLER, MAX_LISTENERS } = require('./fields.js');

/** @typedef {import('./fields.js').Listener} Listener */

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
 * @param {any} [options] see `host.send`
 */
Peer.prototype.send = function (to, message, options) {
  const send = Fields.send(this);
  return /** @type {any} */ (send)(this.id, to, message, options);
};

/**
 * Sends a message to all peers in the network whose ids match, but not to itself. Without a pattern: to all peers.
 * @param {any} pattern
 * @param {any} [message]
 * @param {any} [options] `self`: also to itself
 */
Peer.prototype.broadcast = function (pattern, message, options) {
  const { broadcasts } = ownerOf(this);
  return arguments.length > 1
    ? broadcasts.begin(this.id, pattern, message, options)
    : broadcasts.begin(this.id, null, pattern, options);
};

/**
 * Sends a message to another peer and waits for its reply.
 * @param {any} to
 * @param {any} message
 * @param {any} [options] `timeout` in ms, `signal`
 */
Peer.prototype.request = function (to, message, options) {
  return ownerOf(this).requests.request(this.id, to, message, options);
};

/**
 * Answers requests from now on, in place of the handler before.
 * @param {Listener | null | undefined} handler called as handler(from, message); what it returns, or what its promise resolves with, is
 * the reply. None: requests are refused.
 */
Peer.prototype.handle = function (handler) {
  if (handler !== null && handler !== undefined) checkFunction(handler, 'handler');
  Fields.set(this, HANDLER, handler ?? undefined);
  return this;
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
  return add(this, event, callback, false);
};

/**
 * @param {any} event
 * @param {Listener} callback called before those that are there
 */
Peer.prototype.prependListener = function (event, callback) {
  return add(this, event, callback, true);
};

/**
 * @param {any} event
 * @param {Listener} callback called for the next message only
 */
Peer.prototype.once = function (event, callback) {
  return add(this, event, onceOnly(this, event, callback), false);
};

/**
 * @param {any} event
 * @param {Listener} callback called for the next message only, before those that are there
 */
Peer.prototype.prependOnceListener = function (event, callback) {
  return add(this, event, onceOnly(this, event, callback), true);
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

/**
 * @param {any} event
 * @returns {Listener[]} a copy, with what `once` made of its listeners
 */
Peer.prototype.rawListeners = function (event) {
  const listeners = Fields.get(this, event);
  if (listeners === undefined) return [];
  return typeof listeners === 'function' ? [listeners] : [...listeners];
};

/** @returns {any[]} the events that have listeners */
Peer.prototype.eventNames = function () {
  return Fields.events(this);
};

/** @param {number} count how many listeners an event may have before the process is warned; 0, as at first, stands for any number */
Peer.prototype.setMaxListeners = function (count) {
  checkMaxListeners(count);
  Fields.set(this, MAX_LISTENERS, count === 0 ? undefined : /** @type {any} */ (count));
  return this;
};

/** @returns {number} */
Peer.prototype.getMaxListeners = function () {
  return /** @type {any} */ (Fields.get(this, MAX_LISTENERS)) ?? 0;
};

Peer.prototype.addListener = Peer.prototype.on;
Peer.prototype.removeListener = Peer.prototype.off;

/**
 * @param {any} peer
 * @param {any} event
 * @param {Listener} callback
 * @param {boolean} first whether it comes before the others
 */
function add(peer, event, callback, first) {
  checkFunction(callback, 'callback');
  const listeners = Fields.get(peer, event);
  if (listeners === undefined) {
    Fields.set(peer, event, callback);
    return peer;
  }
  const others = typeof listeners === 'function' ? [listeners] : listeners;
  Fields.set(peer, event, first ? [callback, ...others] : [...others, callback]);
  const most = Peer.prototype.getMaxListeners.call(peer);
  if (most > 0 && others.length === most) warnOfMany(peer, event, most);
  return peer;
}

/**
 * @param {any} peer
 * @param {any} event
 * @param {number} most
 */
function warnOfMany(peer, event, most) {
  const message = `Peer ${textOf(peer.id)} has more than ${most} listeners of '${String(event)}', which may be a leak. Change the limit with setMaxListeners()`;
  warn(message, 'MaxListenersExceededWarning');
}

/**
 * @param {any} peer
 * @param {any} event
 * @param {Listener} callback
 * @returns {Listener & {listener?: Listener}}
 */
function onceOnly(peer, event, callback) {
  checkFunction(callback, 'callback');
  let called = false;
  /** @type {Listener & {listener?: Listener}} */
  const wrapper = (from, message) => {
    if (called) return;
    called = true;
    Peer.prototype.off.call(peer, event, wrapper);
    callback(from, message);
  };
  wrapper.listener = callback;
  return wrapper;
}

/**
 * What was given to `once`, or the listener itself.
 * @param {Listener & {listener?: Listener}} listener
 * @returns {Listener}
 */
function original(listener) {
  return typeof listener.listener === 'function' ? listener.listener : listener;
}

/**
 * @param {any} peer
 * @returns {import('./owner.js').Owner} the host that has created it
 */
function ownerOf(peer) {
  const owner = owners.get(/** @type {any} */ (Fields.send(peer)));
  if (owner === undefined) throw error('ERR_NO_HOST', 'No host has created this peer');
  return owner;
}

module.exports = Peer;
