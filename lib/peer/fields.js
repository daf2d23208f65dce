'use strict';

/** @typedef {(...args: any[]) => any} Listener */

/** Stands for the handler of requests among the events that few peers have. */
const HANDLER = Symbol('handler');

/** Stands for how many listeners an event may have before somebody is warned. */
const MAX_LISTENERS = Symbol('max listeners');

/**
 * Private fields on objects that a plain function made: `Peer.call(this, id)` must keep working, and a million peers must stay small.
 * The single listener of 'message', which is what nearly every peer has, is stored bare; a map only when there are other events. Arrays
 * are copied when they change, so that an emit goes on with what it began with.
 */
class Fields
  extends /** @type {new (peer: object) => object} */ (
    /** @type {any} */ (
      function (/** @type {object} */ peer) {
        return peer;
      }
    )
  )
{
  /** @type {((from: any, to: any, message: any) => any) | undefined} */
  #send;
  /** Those of 'message', or those of every event. @type {Listener | Listener[] | Map<any, Listener | Listener[]> | undefined} */
  #listeners;

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
    const held = peer.#listeners;
    if (typeof held !== 'function' && held instanceof Map) return held.get(event);
    return event === 'message' ? held : undefined;
  }

  /**
   * @param {any} peer
   * @param {any} event
   * @param {Listener | Listener[] | undefined} listeners
   */
  static set(peer, event, listeners) {
    let held = peer.#listeners;
    if (!(held instanceof Map)) {
      if (event === 'message') {
        peer.#listeners = listeners;
        return;
      }
      if (listeners === undefined) return;
      held = peer.#listeners = held === undefined ? new Map() : new Map([['message', held]]);
    }
    if (listeners === undefined) held.delete(event);
    else held.set(event, listeners);
  }

  /**
   * @param {any} peer
   * @param {any} event
   */
  static clear(peer, event) {
    if (event !== undefined) return Fields.set(peer, event, undefined);
    const kept = [HANDLER, MAX_LISTENERS]
      .map((name) => /** @type {const} */ ([name, Fields.get(peer, name)]))
      .filter(([, value]) => value !== undefined);
    peer.#listeners = kept.length === 0 ? undefined : /** @type {any} */ (new Map(kept));
  }

  /**
   * @param {any} peer
   * @returns {any[]} the events that have listeners
   */
  static events(peer) {
    const held = peer.#listeners;
    if (held === undefined) return [];
    if (!(held instanceof Map)) return ['message'];
    return [...held.keys()].filter((name) => name !== HANDLER && name !== MAX_LISTENERS);
  }

  /** @param {object} peer whatever a program has put among the peers */
  static handler(peer) {
    return #send in peer ? /** @type {Listener | undefined} */ (Fields.get(peer, HANDLER)) : undefined;
  }
}

module.exports = { Fields, HANDLER, MAX_LISTENERS };
