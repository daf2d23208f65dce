'use strict';

const { byteLength, isBuffer, isUint8Array, setImmediate } = require('../platform/index.js');
const { Encoded, LONG, PLAIN, copyOf, isCarried, serialize, serializeChannel, serializeId } = require('./encoded.js');
const { FORMS, LINES } = require('./contract.js');
const { messageTooLarge } = require('../common/errors.js');
const Promptness = require('./promptness.js');
const { checkId, checkName } = require('../common/ids.js');

/** What is collected is handed over at this many messages, or at this many characters, or at the end of the turn. */
const MAX_MESSAGES = 256;
const MAX_LENGTH = 64 * 1024;

/** Whether a publish is to be handed over at once is asked while so few are collected. */
const FEW = 16;

/** The largest message and the longest id, unless the program says otherwise. */
const MAX_PAYLOAD = 64 * 1024 * 1024;
const MAX_ID_LENGTH = 64 * 1024;

const { BUFFER, JSON_TEXT, STRING, UINT8_ARRAY, UNDEFINED } = FORMS;
const { JOB, PUBLISH, QUESTION, REPLY, REQUEST, SEND, SEND_PATIENTLY, STATE } = LINES;

/**
 * Collects what a host sends and publishes in one turn: one text, and beside it the values that do not go through JSON. A run
 * (messages of one form from one sender to one receiver, or on one channel; or replies to one host) is one line of the text.
 */
class Outbound {
  /** @param {(text: string, beside: any[] | null, more: boolean) => void} handOver */
  constructor(handOver) {
    this.text = '';
    /** @type {any[] | null} */
    this.beside = null;
    this.besideLength = 0; // of what is not in the text, about
    this.count = 0;
    this.run = 0; // messages in the run at the end of the text
    this.form = '';
    /** @type {any} */
    this.to = undefined; // receiver or channel of that run
    /** @type {any} */
    this.from = undefined;
    this.what = '';
    /** Whether something published was collected. */
    this.published = false;
    this.maxIdLength = MAX_ID_LENGTH;
    this.maxPayload = MAX_PAYLOAD;
    /** A shorter text cannot be too large, whatever is in it. */
    this.large = Math.floor(MAX_PAYLOAD / 3);
    this.changes = ''; // kind of the changes at the end of the text, if they are there
    /** Names that belong to these and are not yet in the text. @type {string[]} */
    this.names = [];
    this.number = 0; // of the request that was replied to last
    // What `encode` has made of a message.
    this.nextForm = '';
    this.nextText = '';
    /** @type {any} */
    this.nextValue = undefined;
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

  /** @param {number} max */
  setMaxPayload(max) {
    this.maxPayload = max;
    this.large = Math.floor(max / 3);
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
   * @param {Encoded} message
   */
  job(host, head, { form, text, value }) {
    this.put(JOB, host, head, form, text, value);
  }

  /**
   * A message as it is now, to be handed over later, perhaps more than once. Throws as `add` does.
   * @param {any} to
   * @param {any} message
   */
  encoded(to, message) {
    this.encode(to, message);
    const encoded = new Encoded(this.nextForm, this.nextText, this.nextValue);
    this.nextText = '';
    this.nextValue = undefined;
    return encoded;
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
      this.put(what, from, to, JSON_TEXT, serialize(message), undefined);
      return;
    }
    this.encode(to, message);
    this.put(what, from, to, this.nextForm, this.nextText, this.nextValue);
  }

  /**
   * Throws when JSON cannot carry the message, or when it is too large.
   * @param {any} to
   * @param {any} message
   */
  encode(to, message) {
    let form = JSON_TEXT;
    let text = '';
    /** @type {any} */
    let value;
    if (typeof message === 'string' && message.length >= LONG && message.isWellFormed()) {
      form = STRING;
      value = message;
      if (value.length > this.large) this.checkSize(to, value);
    } else if (typeof message === 'object' && isUint8Array(message)) {
      if (message.length > this.maxPayload || (value = copyOf(message)).length > this.maxPayload)
        throw messageTooLarge(to);
      form = isBuffer(message) ? BUFFER : UINT8_ARRAY;
    } else {
      text = serialize(message);
      if (text.length > this.large) this.checkSize(to, text);
      if (text === '') form = UNDEFINED;
    }
    this.nextForm = form;
    this.nextText = text;
    this.nextValue = value;
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
    if (
      this.run > 0 &&
      this.form === form &&
      this.to === to &&
      this.from === from &&
      this.what === what &&
      (typeof to !== 'object' || to === null) &&
      (typeof from !== 'object' || from === null)
    ) {
      if (form === JSON_TEXT) this.text += ',' + text;
    } else {
      this.begin(what, from, to, form, text);
    }
    this.run++;
    if (form >= STRING) {
      (this.beside ??= []).push(value);
      this.besideLength += value.length;
    }
    this.count++;
    this.grown();
  }

  grown() {
    this.waits = true;
    if (this.urgent) this.flush(false);
    else if (this.count >= MAX_MESSAGES || this.text.length + this.besideLength >= MAX_LENGTH) this.flush(true);
    if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(this.onCheck);
    }
  }

  /**
   * @param {any} to
   * @param {string} text
   */
  checkSize(to, text) {
    if (byteLength(text) > this.maxPayload) throw messageTooLarge(to);
  }

  /**
   * Throws when that cannot be the id of a peer.
   * @param {string} what the argument
   * @param {any} id
   */
  checkId(what, id) {
    if (typeof id !== 'string' || id.length > this.maxIdLength) checkId(what, id, this.maxIdLength);
  }

  /**
   * Throws when that is too long for a channel, a pattern or a group.
   * @param {string} what the argument
   * @param {any} name
   */
  checkName(what, name) {
    if (typeof name !== 'string' || name.length > this.maxIdLength) checkName(what, name, this.maxIdLength);
  }

  /**
   * JSON text of an id.
   * @param {string} what the argument
   * @param {any} id
   */
  named(what, id) {
    this.checkId(what, id);
    return serializeId(id);
  }

  /**
   * Begins a run.
   * @param {string} what
   * @param {any} from
   * @param {any} to
   * @param {string} form
   * @param {string} text of its first message
   */
  begin(what, from, to, form, text) {
    let names;
    if (what === REPLY) names = to + '\t' + from + '\t' + this.number;
    else if (what === QUESTION || what === STATE || what === JOB) names = serialize(to) + '\t' + serialize(from);
    else if (what === PUBLISH) names = serializeChannel(to);
    else names = this.named('to', to) + '\t' + this.named('from', from);
    if (what === PUBLISH) this.published = true;
    const head = what + form + names + '\t';
    this.end();
    this.text += head;
    if (form === JSON_TEXT) this.text += text;
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
