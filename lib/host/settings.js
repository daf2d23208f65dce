'use strict';

const Bluebird = require('../common/Promise.js');
const { coded, readGiven } = require('../common/errors.js');
const { checkOffline } = require('../common/validate.js');
const { numberOption } = require('./options.js');

/** How many names and patterns one other host may subscribe to, unless the program says otherwise. */
const MAX_SUBSCRIPTIONS = 2 ** 20;

/** The options of a host as they are obeyed in JavaScript. */
class Settings {
  #host;
  /** The class of the promises that the host returns. @type {any} */
  Promise = Bluebird;
  /** What every send to a local peer returns. @type {any} */
  sent = Bluebird.resolve(null);

  /** @param {any} host */
  constructor(host) {
    this.#host = host;
  }

  /**
   * Prepares to change the class of the promises that the host returns.
   * @param {any} Promise bluebird's, or one like it
   * @returns {() => void} changes it
   */
  preparePromise(Promise) {
    const sent = readGiven(() => Promise.resolve(null));
    return () => {
      this.Promise = Promise;
      this.sent = sent;
    };
  }

  /**
   * A promise for what the function returns, rejected with what it throws.
   * @param {() => any} work
   * @returns {any}
   */
  attempt(work) {
    return new this.Promise((/** @type {any} */ resolve, /** @type {any} */ reject) => {
      try {
        resolve(work());
      } catch (err) {
        reject(coded(err));
      }
    });
  }

  /**
   * @param {string} name
   * @returns {number | undefined} the option as it stands, when it is a number
   */
  option(name) {
    return numberOption(this.#host, name);
  }

  /** In ms. */
  get requestTimeout() {
    return this.option('requestTimeout') ?? 60000;
  }

  /** How many watches one other host may have here: they take more memory than subscriptions. */
  get mostWatches() {
    return Math.ceil((this.option('maxSubscriptions') ?? MAX_SUBSCRIPTIONS) / 8);
  }

  /** How many channels and patterns of groups it may have members of. */
  get mostMembers() {
    return Math.ceil((this.option('maxSubscriptions') ?? MAX_SUBSCRIPTIONS) / 16);
  }

  /** Read for every send, and so not by `lookUp`, for which each name is a new one. */
  #offline() {
    try {
      return this.#host.options.offline;
    } catch {
      return undefined;
    }
  }

  /** @param {any} options of a send */
  waitsOffline(options) {
    const offline = options?.offline ?? this.#offline();
    if (offline === undefined) return false;
    checkOffline(offline);
    return offline === 'queue';
  }
}

module.exports = Settings;
