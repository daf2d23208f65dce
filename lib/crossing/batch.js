'use strict';

const { REPLIES } = require('./contract.js');
const { textOf } = require('../common/errors.js');
const { now } = require('../platform/index.js');

const { DIAL, HERE, IDS, NO_SUCH_PEER, OVERLOADED, THREW } = REPLIES;

/** Acknowledgements do not wait longer than this for the listeners of later messages, in ms. */
const MAX_SILENCE = 5;

/**
 * A batch of events that is being applied, and the replies to it. The events are in one flat array, see docs/internals/crossing.md.
 */
class Batch {
  /**
   * @param {import('./inbound.js').Parts} parts
   * @param {import('./contract.js').Carrier} native
   * @param {string} text
   */
  constructor(parts, native, text) {
    this.parts = parts;
    this.native = native;
    this.events = parse(native, text);
    /** Where the next event begins. */
    this.at = 0;
    /** How many of its messages are applied already. */
    this.within = 0;
    /** When the slice ends in which the batch is applied. */
    this.until = Infinity;
    this.question = 0;
    /** The question that was replied to last. */
    this.replied = -1;
    /** What is said in reply, as JSON. @type {(number | string)[]} */
    this.replies = [];
    /** @type {any[] | null} */
    this.beside = null;
    this.nextBeside = 0;
    // When to look at the clock again: that is not free, so it is done rarely while listeners are quick.
    this.interval = 1;
    this.untilCheck = 1;
    this.since = now();
  }

  /** There is no such peer. */
  miss() {
    this.reply(NO_SUCH_PEER);
  }

  /** @param {number} code that says all */
  reply(code) {
    this.replied = this.question;
    this.replies.push(this.question, code);
  }

  /** Too many requests wait for their replies: the peer does not get this one. */
  refuse() {
    this.reply(OVERLOADED);
  }

  /** There is one. */
  here() {
    this.reply(HERE);
  }

  /** That url may be dialled. */
  dial() {
    this.reply(DIAL);
  }

  /** @param {string} ids JSON text of an array */
  list(ids) {
    this.replied = this.question;
    this.replies.push(this.question, IDS, ids);
  }

  /**
   * Whom the message is for has thrown. Whoever has sent it is told so, unless there is another reply.
   * @param {any} err
   */
  threw(err) {
    if (this.replied === this.question) return;
    this.replied = this.question;
    this.replies.push(this.question, THREW, JSON.stringify(textOf(err)));
  }

  /**
   * A message has been taken by its listeners.
   * @returns {boolean} whether the slice is over
   */
  next() {
    this.question++;
    return --this.untilCheck === 0 && this.check();
  }

  /** Nobody is there to take so many messages. @param {number} count */
  skip(count) {
    this.question += count;
  }

  /** @returns {boolean} whether the slice is over */
  check() {
    const time = now();
    const isOver = time >= this.until;
    if (isOver || time - this.since >= MAX_SILENCE) {
      this.native.progress(this.question, this.takeReplies());
      this.since = now();
      this.interval = 1;
    } else if (this.interval < 64) {
      this.interval *= 2;
    }
    this.untilCheck = this.interval;
    return isOver;
  }

  takeReplies() {
    if (this.replies.length === 0) return null;
    const text = '[' + this.replies.join() + ']';
    this.replies = [];
    return text;
  }

  /** @returns {any} the next value that came beside the text */
  takeBeside() {
    this.beside ??= this.native.beside();
    return this.beside[this.nextBeside++];
  }
}

/**
 * @param {import('./contract.js').Carrier} native
 * @param {string} text
 * @returns {any[]}
 */
function parse(native, text) {
  try {
    return JSON.parse(text);
  } catch {
    // Another host sends what is not JSON: it is found and left out, and everybody else's messages stay.
    return JSON.parse(native.purge());
  }
}

module.exports = Batch;
