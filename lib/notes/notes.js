'use strict';

const Broadcasts = require('./broadcasts.js');
const Deadlines = require('../common/deadlines.js');
const Groups = require('./groups.js');
const Lists = require('./lists.js');
const Slices = require('../common/slices.js');
const { Jobs } = require('./jobs.js');
const { MEMBERS } = require('./members_told.js');
const { ANSWER, Line, MOST_TOLD, PART, Queue, weightOf } = require('./telling.js');
const { CHANGES } = require('./served.js');
const { UNWATCH, WATCH } = require('./watchers.js');
const Watches = require('./watches.js');
const { acceptedIds, acceptedRows } = require('./accepted.js');
const { error, hostClosed, nameOf, timedOut } = require('../common/errors.js');
const { Note } = require('../common/pending.js');

/**
 * What the programs of hosts say to each other beside the messages of peers. A note is a head, whose first character says what it is
 * about, and a value. They keep their place among the messages between two hosts, and are acknowledged as those are.
 */
/** That what was told is no longer served; its argument is the head's letter. */
const REFUSED = 'r';

/**
 * @typedef {{number: number, host: string, resolve: (value: any) => void, reject: (err: Error) => void, timeout: number, deadline: number, parts?: any[], weight?: number}} Question
 */

/** So many answers may wait for one host that asks on and on and takes none: beyond it nothing is answered. */
const MOST_ANSWERS = 16384;

/** A question that is on its way: only a failure says something. */
class Asked extends Note {
  /**
   * @param {import('../host/stats.js')} counters
   * @param {(err: any) => void} fail
   */
  constructor(counters, fail) {
    super(counters);
    this.reject = fail;
  }
}

/**
 * What notes need of their host.
 * @typedef {object} OfNotes
 * @property {Pick<import('../host/settings.js'), 'requestTimeout'>} settings
 * @property {Pick<import('../host/life.js').Life, 'closing'>} life
 * @property {Pick<import('../crossing/outbound.js').Outbound, 'maxIdLength' | 'question' | 'state'>} outbound
 * @property {Pick<import('../host/sends.js'), 'push'>} sends
 * @property {import('../host/stats.js')} counters
 */

/** @typedef {OfNotes & Broadcasts.Home & Groups.Home & Watches.Home} Home */

/** Notes of a host, and what is asked by notes. */
class Notes {
  #home;
  /** @type {Map<number, Question>} */
  #questions = new Map();
  /** @type {Deadlines<Question>} */
  #waiting = new Deadlines((question) => this.#settle(question, timedOut()));
  #next = 1;
  /** What the connected hosts are told. @type {Map<string, {line: Line, questions: Queue, answers: Queue, lists: Lists}>} */
  #lines = new Map();
  /** @type {(() => void)[]} */
  #onAnswered = [];
  /** What others make this host do, bit by bit. */
  slices = new Slices();

  /** @param {Home} home */
  constructor(home) {
    this.#home = home;
    this.broadcasts = new Broadcasts(home, this);
    this.groups = new Groups(home, this);
    this.watches = new Watches(home, this);
  }

  /**
   * Tells another host, for which there is always room: only for what lines tell.
   * @param {string} host its id
   * @param {string} head
   * @param {any} value
   * @param {(counters: import('../host/stats.js')) => Note} note gives what settles when it has been taken, or will not be
   * @param {(err: any) => void} fail when it cannot be said
   */
  state(host, head, value, note, fail) {
    const { counters, outbound, sends } = this.#home;
    try {
      outbound.state(host, head, value);
    } catch (err) {
      fail(err);
      return;
    }
    sends.push(note(counters), undefined);
  }

  /**
   * @param {string} host that is to be told, if it is connected
   * @param {import('./telling.js').Source} source
   */
  tell(host, source) {
    this.#lines.get(host)?.line.tell(source);
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
      const timeout = this.#home.settings.requestTimeout;
      const question = { number: this.#next++, host, resolve, reject, timeout, deadline: 0 };
      const head = kind + JSON.stringify([question.number, ...args]);
      const { counters, outbound, sends } = this.#home;
      outbound.question(host, head, message);
      sends.push(new Asked(counters, (err) => this.#settle(question, err)), undefined);
      this.#begin(question);
    });
  }

  /**
   * The same for questions that say little: there is always room for them.
   * @param {string} host
   * @param {string} kind
   * @param {any[]} args
   * @returns {Promise<any>} the answer
   */
  askShortly(host, kind, args) {
    return new Promise((resolve, reject) => {
      const timeout = this.#home.settings.requestTimeout;
      const question = { number: this.#next++, host, resolve, reject, timeout, deadline: 0 };
      this.#begin(question);
      const lines = this.#lines.get(host);
      lines?.questions.add(() => {
        if (!this.#questions.has(question.number)) return undefined; // too late
        const failed = (/** @type {any} */ err) => this.#settle(question, err);
        return { head: kind + JSON.stringify([question.number, ...args]), value: undefined, failed };
      });
      lines?.line.tell(lines.questions);
    });
  }

  /** @param {Question} question */
  #begin(question) {
    this.#questions.set(question.number, question);
    this.#waiting.add(question);
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
    if (this.#questions.size === 0) for (const answered of this.#onAnswered.splice(0)) answered();
  }

  /** How many questions wait for their answers. */
  get asked() {
    return this.#questions.size;
  }

  /** @returns {Promise<void>} resolves when no other host is asked for anything any more */
  answered() {
    if (this.#questions.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onAnswered.push(resolve);
    });
  }

  /**
   * @param {string} host
   * @param {number} number of the question
   * @param {() => any} make gives the answer, when there is room for it
   */
  answer(host, number, make) {
    const lines = this.#lines.get(host);
    if (lines === undefined) return; // whoever asked is gone
    const failed = (/** @type {any} */ err) => {
      // Nobody shall wait for what cannot be said.
      if (err.code === 'ERR_MESSAGE_NOT_SERIALIZABLE' || err.code === 'ERR_MESSAGE_TOO_LARGE')
        lines.answers.add(() => ({ head: ANSWER + number, value: null }));
    };
    if (lines.answers.length < MOST_ANSWERS)
      lines.answers.add(() => ({ head: ANSWER + number, value: make(), failed }));
    lines.line.tell(lines.answers);
  }

  /**
   * Tells another host that what it has told of does not count any more.
   * @param {string} host
   * @param {string} kind the letter of its notes
   */
  refuse(host, kind) {
    const lines = this.#lines.get(host);
    if (lines === undefined) return;
    lines.answers.add(() => ({ head: REFUSED + JSON.stringify([kind]), value: null }));
    lines.line.tell(lines.answers);
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
    if (head[0] === ANSWER || head[0] === PART) {
      const question = this.#questions.get(Number(rest));
      if (question?.host === host) this.#answered(question, head[0] === ANSWER, message);
      return true;
    }
    const args = read(rest);
    // What a newer version may say is nothing to complain about.
    if (!Array.isArray(args)) return true;
    const { maxIdLength } = this.#home.outbound;
    switch (head[0]) {
      case Broadcasts.BROADCAST:
        this.broadcasts.take(host, args, message);
        return true;
      case Broadcasts.LIST:
        if (Number.isSafeInteger(args[0]) && typeof args[1] === 'string')
          this.#lines.get(host)?.lists.ask(args[0], args[1]);
        return true;
      case WATCH:
      case UNWATCH:
        return this.watches.take(host, head[0], args, undefined);
      case CHANGES:
        return this.watches.take(host, head[0], args, acceptedRows(message, maxIdLength));
      case MEMBERS:
        if (Array.isArray(message)) message[1] = acceptedRows(message[1], maxIdLength);
        return this.groups.takeMembers(host, message);
      case REFUSED:
        if (args[0] === MEMBERS) this.groups.refused(host);
        return true;
      case Jobs.MESSAGE:
        return this.groups.take(args, message);
      default:
        return true;
    }
  }

  /**
   * @param {Question} question
   * @param {boolean} whole whether nothing follows
   * @param {any} value
   */
  #answered(question, whole, value) {
    const answer = acceptedIds(value, this.#home.outbound.maxIdLength);
    if (question.parts === undefined && whole) this.#settle(question, null, answer);
    else if (!Array.isArray(answer))
      this.#settle(question, null, null); // it breaks the protocol
    else {
      question.parts ??= [];
      question.weight ??= 0;
      for (const element of answer) {
        question.parts.push(element);
        question.weight += weightOf(nameOf(element).length);
      }
      if (question.weight > MOST_TOLD) this.#settle(question, null, null);
      else if (whole) this.#settle(question, null, question.parts);
    }
  }

  /** @param {string} host that is connected now */
  connected(host) {
    if (this.#lines.has(host)) this.disconnected(host);
    const line = new Line(this, host);
    const lists = new Lists({
      residents: this.#home.residents,
      wake: (lists) => this.slices.add(lists),
      tell: (lists) => line.tell(lists)
    });
    this.#lines.set(host, { line, questions: new Queue(), answers: new Queue(), lists });
    this.groups.connected(host);
    this.watches.connected(host);
  }

  /** @param {string} host that is not connected any more, and may come back */
  disconnected(host) {
    const lines = this.#lines.get(host);
    if (lines !== undefined) this.#end(lines);
    this.#lines.delete(host);
    // It may be away for long: nobody waits for its answers.
    const why = this.#home.life.closing === null ? hostLost : hostClosed;
    for (const question of [...this.#questions.values()]) if (question.host === host) this.#settle(question, why());
    this.groups.disconnected(host);
    this.watches.disconnected(host);
  }

  /** @param {{line: Line, lists: Lists}} lines */
  #end({ line, lists }) {
    line.end();
    this.slices.delete(lists);
    lists.end();
  }

  /** @param {string} host that will not come back */
  gone(host) {
    this.groups.gone(host);
  }

  /** The host is closed. */
  closed() {
    for (const question of [...this.#questions.values()]) this.#settle(question, hostClosed());
    for (const lines of this.#lines.values()) this.#end(lines);
    this.#lines.clear();
    this.groups.closed();
    this.watches.closed();
  }
}

/** What nobody is told: a broadcast counts it, a list does without. */
function hostLost() {
  return error('ERR_CONNECTION_LOST', 'The host is lost');
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
