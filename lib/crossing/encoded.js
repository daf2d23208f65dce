'use strict';

const { bufferOf } = require('../platform/index.js');
const { FORMS } = require('./contract.js');
const { error, textOf } = require('../common/errors.js');

/** Strings of this length and longer do not go through JSON. */
const LONG = 200;

const { BUFFER, JSON_TEXT, STRING, UNDEFINED } = FORMS;

/** Characters that JSON shows as they are, in a string. */
const PLAIN = /^[ !#-[\]-~]*$/;

/**
 * JSON text of a value that is to cross to another host.
 * @param {any} value
 * @returns {string} empty when the value is undefined, as JSON has no such value
 */
function serialize(value) {
  // About three times as fast as JSON.stringify, for what most ids and many messages are.
  if (typeof value === 'string' && value.length < LONG && PLAIN.test(value)) return '"' + value + '"';
  try {
    const text = JSON.stringify(value);
    return text === undefined ? '' : text;
  } catch (cause) {
    throw error('ERR_MESSAGE_NOT_SERIALIZABLE', `JSON cannot carry this message: ${textOf(cause)}`, { cause });
  }
}

/**
 * JSON texts of strings, with commas between them.
 * @param {string[]} strings at least one
 */
function serializeStrings(strings) {
  if (strings.length === 1) return serialize(strings[0]);
  // There are programs that give arrays a `toJSON`.
  if ('toJSON' in strings) return strings.map(serialize).join();
  return JSON.stringify(strings).slice(1, -1);
}

/**
 * JSON text of the id of a peer. JSON would make `null` of a number that is not finite: other hosts know it by its text.
 * @param {any} id
 */
function serializeId(id) {
  return typeof id === 'number' && !Number.isFinite(id) ? `"${id}"` : serialize(id);
}

/**
 * JSON text of a channel that has a text, which is all that any host compares: also where JSON would make something else of it.
 * @param {any} channel
 */
function serializeChannel(channel) {
  const same = channel === undefined || channel === null || typeof channel === 'boolean' || Number.isFinite(channel);
  return serialize(same ? channel : String(channel));
}

/**
 * Whether other hosts can be told of that id.
 * @param {any} id
 */
function isCarried(id) {
  try {
    return id === undefined || serialize(id) !== '';
  } catch {
    return false;
  }
}

/**
 * A copy, because it may be changed before it leaves.
 * @param {Uint8Array} bytes
 */
function copyOf(bytes) {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw error('ERR_MESSAGE_NOT_SERIALIZABLE', `The bytes of this message cannot be read: ${textOf(cause)}`, {
      cause
    });
  }
}

/** A message as it was when it was encoded. */
class Encoded {
  /**
   * @param {string} form
   * @param {string} text
   * @param {any} value in the place of the text
   */
  constructor(form, text, value) {
    this.form = form;
    this.text = text;
    this.value = value;
  }

  /** How much memory it takes, in bytes, about. */
  get size() {
    return this.form >= BUFFER ? this.value.length : 2 * (this.form === STRING ? this.value : this.text).length;
  }

  /** @returns {any} the message, as another host would get it */
  decode() {
    if (this.form === UNDEFINED) return undefined;
    if (this.form === JSON_TEXT) return JSON.parse(this.text);
    if (this.form === STRING) return this.value;
    return this.form === BUFFER ? bufferOf(this.value) : new Uint8Array(this.value);
  }
}

module.exports = {
  Encoded,
  LONG,
  PLAIN,
  copyOf,
  isCarried,
  serialize,
  serializeChannel,
  serializeId,
  serializeStrings
};
