'use strict';

const { byteLength, isBuffer, isUint8Array } = require('../platform/index.js');
const { FORMS } = require('./contract.js');
const { Encoded, LONG, copyOf, serialize, serializeId } = require('./encoded.js');
const { messageTooLarge } = require('../common/errors.js');
const { checkId, checkName } = require('../common/ids.js');

/** The largest message and the longest id, unless the program says otherwise. */
const MAX_PAYLOAD = 64 * 1024 * 1024;
const MAX_ID_LENGTH = 64 * 1024;

const { BUFFER, JSON_TEXT, STRING, UINT8_ARRAY, UNDEFINED } = FORMS;

/** Makes of messages what crosses, within the limits of a host. */
class Encoder {
  constructor() {
    this.maxIdLength = MAX_ID_LENGTH;
    this.maxPayload = MAX_PAYLOAD;
    /** A shorter text cannot be too large, whatever is in it. */
    this.large = Math.floor(MAX_PAYLOAD / 3);
    // What `encode` has made of a message.
    this.nextForm = '';
    this.nextText = '';
    /** @type {any} */
    this.nextValue = undefined;
  }

  /** @param {number} max */
  setMaxPayload(max) {
    this.maxPayload = max;
    this.large = Math.floor(max / 3);
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
}

module.exports = Encoder;
