'use strict';

const { REPLIES } = require('./contract.js');
const { textOf } = require('../common/errors.js');
const { now } = require('../platform/index.js');

const { HERE, IDS, NO_SUCH_PEER, THREW } = REPLIES;

/** Acknowledgements do not wait longer than this for the listeners of later messages, in ms. */
const MAX_SILENCE = 5;

/**
 * A batch of events that is being applied, and the replies to it. The events are in one flat array, see docs/internals/crossing.md.
 */
class Batch {
  /**
   * @param {import('./inbound.js').Parts} parts
   * @param {import('./contract.js').Carrier} native
   * @param {any[]} events
   */
  constructor(parts, native, events) {
    this.parts = parts;
    this.native = native;
    this.events = events;
    /** Where the next event begins. */
    this.at = 0;
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
    this.replied = this.question;
    this.replies.push(this.question, NO_SUCH_PEER);
  }

  /** There is one. */
  here() {
    this.replied = this.question;
    this.replies.push(this.question, HERE);
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

  /** A message has been taken by its listeners. */
  next() {
    this.question++;
    if (--this.untilCheck === 0) this.check();
  }

  check() {
    const elapsed = now() - this.since;
    if (elapsed >= MAX_SILENCE) {
      this.native.progress(this.question, this.takeReplies());
      this.since = now();
      this.interval = 1;
    } else if (this.interval < 64) {
      this.interval *= 2;
    }
    this.untilCheck = this.interval;
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

module.exports = Batch;
