'use strict';

const { atEnd } = require('../common/turns.js');
const { LONG, PLAIN, isCarried, serialize, serializeChannel, serializeId, serializeStrings } = require('./encoded.js');
const { FORMS, LINES } = require('./contract.js');
const Encoder = require('./encoder.js');
const Promptness = require('./promptness.js');

/** What is collected is handed over at this many messages, or at this many characters, or at the end of the turn. */
const MAX_MESSAGES = 256;
const MAX_LENGTH = 64 * 1024;

/** It is handed over sooner where that could be more than a quarter of what may wait for a host: a message takes so many bytes at most. */
const PART = 1 / 4;
const MESSAGE_BYTES = 512; // beside its characters
const CHARACTER_BYTES = 16; // six, and some are counted late

/** Whether a publish is to be handed over at once is asked while so few are collected. */
const FEW = 16;

const { JSON_TEXT, STRING } = FORMS;
const { JOB, PUBLISH, QUESTION, REPLY, REQUEST, SEND, SEND_PATIENTLY, STATE } = LINES;

/**
 * Collects what a host sends and publishes in one turn: one text, and beside it the values that do not go through JSON. A run
 * (messages of one form from one sender to one receiver, or on one channel; or replies to one host) is one line of the text.
 */
class Outbound extends Encoder {
  /** @param {(text: string, beside: any[] | null, more: boolean) => void} handOver */
  constructor(handOver) {
    super();
    this.text = '';
    /** @type {any[] | null} */
    this.beside = null;
    this.besideLength = 0; // of what is not in the text, about
    this.count = 0;
    this.maxCount = MAX_MESSAGES;
    this.maxLength = MAX_LENGTH;
    /** Whether these are less than ever: little may wait. */
    this.tight = false;
    this.run = 0; // messages in the run at the end of the text
    /** The last ones of that run, not yet in the text. @type {string[]} */
    this.strings = [];
    this.stringsLength = 0; // in the text, about
    this.form = '';
    /** @type {any} */
    this.to = undefined; // receiver or channel of that run
    /** @type {any} */
    this.from = undefined;
    this.what = '';
    /** Whether something published was collected. */
    this.published = false;
    this.changes = ''; // kind of the changes at the end of the text, if they are there
    /** Names that belong to these and are not yet in the text. @type {string[]} */
    this.names = [];
    this.number = 0; // of the request that was replied to last
    this.scheduled = false;
    /** Whether what is added is to be handed over at once. */
    this.urgent = false;
    /** Whether what listeners say is handed over together with the word that they have returned. */
    this.applying = false;
    this.promptness = new Promptness();
    this.handOver = handOver;
    this.onCheck = () => {
      this.scheduled = false;
      // Also when nothing is left to hand over: what was handed over before may still wait for more.
      if (this.waits) this.flush(false);
    };
    this.waits = false;
  }

  /**
   * Whoever publishes has to learn in time that much waits: it is asked when what was collected is handed over.
   * @param {number} bytes that may wait for a host
   * @param {number} messages that may
   */
  setRoom(bytes, messages) {
    const count = Math.floor(Math.min(MAX_MESSAGES, messages * PART, (bytes * PART) / MESSAGE_BYTES));
    this.maxCount = count >= 1 ? count : 1;
    this.maxLength = Math.floor(Math.min(MAX_LENGTH, (bytes * PART) / CHARACTER_BYTES));
    this.tight = this.maxCount < MAX_MESSAGES || this.maxLength < MAX_LENGTH;
  }

  /**
   * @param {any} from
   * @param {any} to
   * @param {any} message
   * @param {boolean} patient whether it waits for a lost host
   */
  send(from, to, message, patient) {
    this.add(patient ? SEND_PATIENTLY : SEND, from, to, message);
  }

  /**
   * @param {any} from
   * @param {any} to
   * @param {any} message
   */
  request(from, to, message) {
    this.add(REQUEST, from, to, message);
  }

  /**
   * When JSON cannot carry the value, another reply to the same request must follow at once.
   * @param {string} host that has asked
   * @param {number} number of the request
   * @param {number} outcome
   * @param {any} value
   */
  reply(host, number, outcome, value) {
    if (number !== this.number + 1) this.end(); // a run's numbers are consecutive
    this.number = number;
    this.add(REPLY, outcome, host, value);
  }

  /**
   * @param {any} channel
   * @param {any} message
   */
  publish(channel, message) {
    this.add(PUBLISH, undefined, channel, message);
    const { count } = this;
    // At 1, 2, 4, 8 and 16: to look at the clock each time would cost more than all the rest.
    if (count > 0 && count <= FEW && (count & (count - 1)) === 0 && !this.applying && this.promptness.take())
      this.flush(false);
  }

  /**
   * @param {string} host
   * @param {string} head
   * @param {any} message
   */
  question(host, head, message) {
    this.add(QUESTION, host, head, message);
  }

  /**
   * @param {string} host
   * @param {string} head
   * @param {any} message
   */
  state(host, head, message) {
    this.add(STATE, host, head, message);
  }

  /**
   * @param {string} host
   * @param {string} head
   * @param {import('./encoded.js').Encoded} message
   */
  job(host, head, { form, text, value }) {
    this.put(JOB, host, head, form, text, value);
  }

  /**
   * Who lives here, or what is listened to here, has changed.
   * @param {string} kind a line's first two characters
   * @param {any} name
   */
  change(kind, name) {
    let text = '';
    const plain = typeof name === 'string' && PLAIN.test(name);
    if (!plain) {
      try {
        text = serializeId(name);
      } catch {
        return; // what JSON cannot carry no other host can name
      }
    }
    if (this.changes !== kind) {
      this.end();
      this.text += kind;
      this.changes = kind;
    }
    if (plain) {
      this.names.push(name);
      this.besideLength += name.length;
    } else {
      this.joinNames();
      this.text += text + '\t';
    }
    this.grown();
  }

  /** A million peers are told of in long texts: joining what is collected is faster than adding to them name by name. */
  joinNames() {
    if (this.names.length === 0) return;
    this.text += '"' + this.names.join('"\t"') + '"\t';
    this.names = [];
  }

  /**
   * Throws, and changes nothing, when JSON cannot carry something.
   * @param {string} what
   * @param {any} from of replies the outcome
   * @param {any} to
   * @param {any} message
   */
  add(what, from, to, message) {
    // What most messages are, and never too large.
    if (typeof message === 'string' && message.length < LONG) {
      if (!this.isNext(what, from, to, JSON_TEXT)) this.begin(what, from, to, JSON_TEXT);
      this.strings.push(message);
      this.stringsLength += message.length + 3;
      this.added();
      return;
    }
    this.encode(to, message);
    this.put(what, from, to, this.nextForm, this.nextText, this.nextValue);
  }

  /**
   * @param {string} what
   * @param {any} from of replies the outcome
   * @param {any} to
   * @param {string} form
   * @param {string} text
   * @param {any} value in the place of the text
   */
  put(what, from, to, form, text, value) {
    if (!this.isNext(what, from, to, form)) this.begin(what, from, to, form);
    if (form === JSON_TEXT) {
      this.joinStrings();
      this.text += this.run === 0 ? text : ',' + text;
    } else if (form >= STRING) {
      (this.beside ??= []).push(value);
      this.besideLength += value.length;
    }
    this.added();
  }

  /**
   * Whether such a message belongs to the run at the end.
   * @param {string} what
   * @param {any} from
   * @param {any} to
   * @param {string} form
   */
  isNext(what, from, to, form) {
    return (
      this.run > 0 &&
      this.form === form &&
      this.to === to &&
      this.from === from &&
      this.what === what &&
      (typeof to !== 'object' || to === null) &&
      (typeof from !== 'object' || from === null)
    );
  }

  /** One call for all strings costs half of one for each. */
  joinStrings() {
    const { strings } = this;
    if (strings.length === 0) return;
    if (this.run > strings.length) this.text += ',';
    this.text += serializeStrings(strings);
    this.strings = [];
    this.stringsLength = 0;
  }

  /** A message is there. */
  added() {
    this.run++;
    this.count++;
    this.grown();
  }

  grown() {
    this.waits = true;
    if (this.urgent) this.flush(false);
    else if (this.count >= this.maxCount || this.text.length + this.stringsLength + this.besideLength >= this.maxLength)
      this.flush(true);
    if (!this.scheduled && !this.applying) this.schedule();
  }

  /** Has what waits handed over at the end of this turn. */
  schedule() {
    this.scheduled = true;
    atEnd(this.onCheck);
  }

  /**
   * Begins a run.
   * @param {string} what
   * @param {any} from
   * @param {any} to
   * @param {string} form
   */
  begin(what, from, to, form) {
    let names;
    if (what === REPLY) names = to + '\t' + from + '\t' + this.number;
    else if (what === QUESTION || what === STATE || what === JOB) names = serialize(to) + '\t' + serialize(from);
    else if (what === PUBLISH) names = serializeChannel(to);
    else names = this.named('to', to) + '\t' + this.named('from', from);
    if (what === PUBLISH) this.published = true;
    const head = what + form + names + '\t';
    this.end();
    this.text += head;
    this.form = form;
    this.to = to;
    this.from = from;
    this.what = what;
  }

  /** Ends the run, or the changes. */
  end() {
    if (this.changes !== '') {
      this.joinNames();
      this.text += '\n';
      this.changes = '';
    }
    if (this.run === 0) return;
    this.joinStrings();
    this.text += this.form === JSON_TEXT ? '\t' + this.run + '\n' : this.run + '\n';
    this.run = 0;
  }

  /**
   * Hands over what is there.
   * @param {boolean} more whether this turn goes on
   */
  flush(more) {
    const beside = this.beside;
    const text = this.take();
    this.waits = more;
    this.handOver(text, beside, more);
  }

  /** Takes the text; what goes beside it is to be taken before. */
  take() {
    this.end();
    const { text } = this;
    this.text = '';
    this.beside = null;
    this.besideLength = 0;
    this.count = 0;
    this.waits = false;
    this.published = false;
    this.to = this.from = this.nextValue = undefined;
    this.nextText = '';
    return text;
  }
}

module.exports = { Outbound, isCarried, serialize, serializeId };
