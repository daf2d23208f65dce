'use strict';

const Broadcasts = require('./broadcasts.js');
const Deadlines = require('./deadlines.js');
const Groups = require('./groups.js');
const Watches = require('./watches.js');
const { hostClosed, timedOut } = require('./errors.js');

/**
 * What the programs of hosts say to each other beside the messages of peers. A note is a head, whose first character says what it is
 * about, and a value. They keep their place among the messages between two hosts, and are acknowledged as those are.
 */
const ANSWER = 'a';

/**
 * @typedef {{number: number, host: string, resolve: (value: any) => void, reject: (err: Error) => void, timeout: number, deadline: number}} Question
 */

/** Notes of a host, and what is asked by notes. */
class Notes {
  #core;
  /** @type {Map<number, Question>} */
  #questions = new Map();
  /** @type {Deadlines<Question>} */
  #waiting = new Deadlines((question) => this.#settle(question, timedOut()));
  #next = 1;

  /** @param {import('./core.js')} core */
  constructor(core) {
    this.#core = core;
    this.broadcasts = new Broadcasts(core, this);
    this.groups = new Groups(core);
    this.watches = new Watches(core);
  }

  /**
   * Asks the program of another host.
   * @param {string} host
   * @param {string} kind
   * @param {any[]} args
   * @param {any} [message]
   * @returns {Promise<any>} the answer
   */
  ask(host, kind, args, message) {
    return new Promise((resolve, reject) => {
      const question = { number: this.#next++, host, resolve, reject, timeout: this.#core.requestTimeout, deadline: 0 };
      this.#questions.set(question.number, question);
      this.#waiting.add(question);
      const told = this.#core.note(host, kind + JSON.stringify([question.number, ...args]), message);
      told.then(undefined, (/** @type {Error} */ err) => this.#settle(question, err));
    });
  }

  /**
   * @param {Question} question
   * @param {Error | null} err
   * @param {any} [value]
   */
  #settle(question, err, value) {
    if (!this.#waiting.delete(question)) return;
    this.#questions.delete(question.number);
    if (err === null) question.resolve(value);
    else question.reject(err);
  }

  /**
   * @param {string} host
   * @param {number} number of the question
   * @param {any} value
   */
  answer(host, number, value) {
    this.#core.note(host, ANSWER + number, value).then(undefined, (/** @type {any} */ err) => {
      // Else whoever asked is gone. Nobody shall wait for what cannot be said.
      if (value !== null && (err.code === 'ERR_MESSAGE_NOT_SERIALIZABLE' || err.code === 'ERR_MESSAGE_TOO_LARGE')) this.answer(host, number, null);
    });
  }

  /**
   * Takes what another host's program says.
   * @param {string} host
   * @param {any} head
   * @param {any} message
   * @returns {boolean} false when there is nobody here whom it concerns
   */
  take(host, head, message) {
    if (typeof head !== 'string') return true;
    const rest = head.slice(1);
    if (head[0] === ANSWER) {
      const question = this.#questions.get(Number(rest));
      if (question?.host === host) this.#settle(question, null, message);
      return true;
    }
    const args = read(rest);
    // What a newer version may say is nothing to complain about.
    if (!Array.isArray(args)) return true;
    switch (head[0]) {
      case Broadcasts.BROADCAST:
        this.broadcasts.take(host, args, message);
        return true;
      case Broadcasts.LIST:
        this.broadcasts.list(host, args);
        return true;
      case Watches.WATCH:
      case Watches.UNWATCH:
      case Watches.CHANGES:
        this.watches.take(host, head[0], args, message);
        return true;
      case Groups.MEMBERS:
        this.groups.takeMembers(host, message);
        return true;
      case Groups.MESSAGE:
        return this.groups.take(args, message);
      default:
        return true;
    }
  }

  /** @param {string} host that is connected now */
  connected(host) {
    this.groups.connected(host);
    this.watches.connected(host);
  }

  /** @param {string} host that is not connected any more */
  disconnected(host) {
    this.groups.disconnected(host);
    this.watches.disconnected(host);
  }

  /** @param {string} host that will not come back */
  gone(host) {
    for (const question of [...this.#questions.values()]) if (question.host === host) this.#settle(question, hostClosed());
  }

  /** The host is closed. */
  closed() {
    for (const question of [...this.#questions.values()]) this.#settle(question, hostClosed());
    this.groups.closed();
    this.watches.closed();
  }
}

/** @param {string} text */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

module.exports = Notes;
