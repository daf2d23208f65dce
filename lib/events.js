'use strict';

const { EventEmitter } = require('node:events');
const { checkFunction } = require('./validate.js');

/**
 * The events of a host. They tell what happens in the network, so nothing that a listener throws may stop what comes after it.
 */
class Events {
  #emitter = new EventEmitter();
  #host;
  #report;

  /**
   * @param {any} host what listeners get as `this`
   * @param {(what: string, err: any, event: string) => void} report
   */
  constructor(host, report) {
    this.#host = host;
    this.#report = report;
    this.#emitter.setMaxListeners(0);
  }

  /**
   * Calls the listeners that were there at the beginning, all of them.
   * @param {string} event
   * @param {...any} args
   * @returns {boolean} whether there were any
   */
  emit(event, ...args) {
    const listeners = this.#emitter.rawListeners(event);
    for (const listener of listeners) {
      try {
        Reflect.apply(listener, this.#host, args);
      } catch (err) {
        this.#report(`A listener of the host's event '${event}' threw`, err, event);
      }
    }
    return listeners.length > 0;
  }

  /**
   * @param {string} event
   * @returns {number} how many listen to it
   */
  count(event) {
    return this.#emitter.listenerCount(event);
  }

  /**
   * Gives a class the methods that Node's EventEmitter has.
   * @param {any} prototype
   * @param {(host: any) => Events} eventsOf
   */
  static define(prototype, eventsOf) {
    /** @param {'on' | 'once' | 'off' | 'prependListener'} method */
    const changing = (method) => /** @this {any} */ function (/** @type {any} */ event, /** @type {any} */ callback) {
      checkFunction(callback, 'callback');
      eventsOf(this).#emitter[method](event, callback);
      return this;
    };
    prototype.on = prototype.addListener = changing('on');
    prototype.once = changing('once');
    prototype.off = prototype.removeListener = changing('off');
    prototype.prependListener = changing('prependListener');
    /** @this {any} */
    prototype.removeAllListeners = function (/** @type {any} */ event) {
      const emitter = eventsOf(this).#emitter;
      if (event === undefined) emitter.removeAllListeners();
      else emitter.removeAllListeners(event);
      return this;
    };
    /** @this {any} */
    prototype.listeners = function (/** @type {any} */ event) { return eventsOf(this).#emitter.listeners(event); };
    /** @this {any} */
    prototype.listenerCount = function (/** @type {any} */ event) { return eventsOf(this).#emitter.listenerCount(event); };
  }
}

module.exports = Events;
