'use strict';

/** @typedef {(...args: any[]) => any} Listener */

/** Stands for the handler of requests among the events that few peers have. */
const HANDLER = Symbol('handler');

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
    if (peer.#others === undefined) return;
    if (event !== undefined) {
      peer.#others.delete(event);
      return;
    }
    const handler = peer.#others.get(HANDLER);
    peer.#others = handler === undefined ? undefined : new Map([[HANDLER, handler]]);
  }

  /** @param {object} peer whatever a program has put among the peers */
  static handler(peer) {
    return #send in peer ? /** @type {Listener | undefined} */ (Fields.get(peer, HANDLER)) : undefined;
  }
}

module.exports = { Fields, HANDLER };
