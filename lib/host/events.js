'use strict';

const { EventEmitter } = require('../platform/index.js');
const { readOnce } = require('../common/ids.js');
const { checkFunction, checkMaxListeners } = require('../common/validate.js');

/**
 * The events of a host. They tell what happens in the network, so nothing that a listener throws may stop what comes after it.
 */
class Events {
  #emitter = new EventEmitter();
  #host;
  #report;

  /**
   * @param {any} host what listeners get as `this`
   * @param {(what: string, err: any, event: string | symbol) => void} report
   */
  constructor(host, report) {
    this.#host = host;
    this.#report = report;
    this.#emitter.setMaxListeners(0);
  }

  /**
   * Calls the listeners that were there at the beginning, all of them.
   * @param {string | symbol} event
   * @param {...any} args
   * @returns {boolean} whether there were any
   */
  emit(event, ...args) {
    const listeners = this.#emitter.rawListeners(event);
    for (const listener of listeners) {
      try {
        Reflect.apply(listener, this.#host, args);
      } catch (err) {
        this.#report(`A listener of the host's event '${String(event)}' threw`, err, event);
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
   * A listener that is called once and then removed. Node's own wrapper would call it with the emitter as `this`.
   * @param {string | symbol} event
   * @param {(...args: any[]) => any} callback
   */
  #once(event, callback) {
    let called = false;
    const emitter = this.#emitter;
    /** @this {any} */
    const wrapper = function (/** @type {any[]} */ ...args) {
      if (called) return;
      called = true;
      emitter.off(event, wrapper);
      return Reflect.apply(callback, this, args);
    };
    wrapper.listener = callback;
    return wrapper;
  }

  /**
   * Gives a class the methods that Node's EventEmitter has.
   * @param {any} prototype
   * @param {(host: any) => Events} eventsOf
   */
  static define(prototype, eventsOf) {
    /**
     * @param {'on' | 'off' | 'prependListener'} method
     * @param {boolean} [once]
     */
    const changing = (method, once = false) =>
      /** @this {any} */ function (/** @type {any} */ event, /** @type {any} */ callback) {
        checkFunction(callback, 'callback');
        const events = eventsOf(this);
        const name = readOnce('event', event);
        events.#emitter[method](name, once ? events.#once(name, callback) : callback);
        return this;
      };
    prototype.on = prototype.addListener = changing('on');
    prototype.once = changing('on', true);
    prototype.off = prototype.removeListener = changing('off');
    prototype.prependListener = changing('prependListener');
    prototype.prependOnceListener = changing('prependListener', true);
    /** @this {any} */
    prototype.setMaxListeners = function (/** @type {any} */ count) {
      checkMaxListeners(count);
      eventsOf(this).#emitter.setMaxListeners(count);
      return this;
    };
    /** @this {any} */
    prototype.emit = function (/** @type {any} */ event, /** @type {any[]} */ ...args) {
      return eventsOf(this).emit(readOnce('event', event), ...args);
    };
    /** @this {any} */
    prototype.removeAllListeners = function (/** @type {any} */ event) {
      const emitter = eventsOf(this).#emitter;
      if (event === undefined) emitter.removeAllListeners();
      else emitter.removeAllListeners(readOnce('event', event));
      return this;
    };
    /** @param {'listeners' | 'rawListeners' | 'listenerCount' | 'eventNames' | 'getMaxListeners'} method */
    const asking = (method) =>
      /** @this {any} */ function (/** @type {any[]} */ ...args) {
        if (args.length > 0) args[0] = readOnce('event', args[0]);
        return /** @type {any} */ (eventsOf(this).#emitter)[method](...args);
      };
    prototype.listeners = asking('listeners');
    prototype.rawListeners = asking('rawListeners');
    prototype.listenerCount = asking('listenerCount');
    prototype.eventNames = asking('eventNames');
    prototype.getMaxListeners = asking('getMaxListeners');
  }
}

module.exports = Events;
