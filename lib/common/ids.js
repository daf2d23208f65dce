'use strict';

const { textOf, tooLong, typeError } = require('./errors.js');

/** No number's text is as long. */
const LONGEST_NUMBER = 32;

/**
 * Checks what shall be an id: all hosts must be able to name it, so JSON has to carry it, and it has a greatest length.
 * @param {string} what the argument
 * @param {any} id
 * @param {number} most characters
 */
function checkId(what, id, most) {
  switch (typeof id) {
    case 'string':
      checkLength(what, id.length, most);
      return;
    case 'object':
      if (id !== null) checkObject(what, id, most);
      return;
    case 'bigint':
    case 'function':
    case 'symbol':
      throw typeError(
        'ERR_INVALID_ARG_TYPE',
        `The "${what}" argument must be something that JSON can carry, got a ${typeof id}`
      );
    default:
      if (most < LONGEST_NUMBER) checkLength(what, String(id).length, most);
  }
}

/**
 * Checks what shall be the name of a channel, a pattern or a group, which is compared as text.
 * @param {string} what the argument
 * @param {any} name
 * @param {number} most characters
 */
function checkName(what, name, most) {
  if (typeof name === 'symbol') return; // it stays on its host
  checkLength(what, textOfName(what, name).length, most);
}

/**
 * @param {string} what the argument
 * @param {any} name
 * @returns {string}
 */
function textOfName(what, name) {
  try {
    return String(name);
  } catch (cause) {
    throw Object.assign(
      typeError('ERR_INVALID_ARG_VALUE', `The "${what}" argument must have a text: ${textOf(cause)}`),
      { cause }
    );
  }
}

/**
 * What becomes a text in the end: an object's text is read once.
 * @param {string} what the argument
 * @param {any} name
 * @returns {any}
 */
function readOnce(what, name) {
  return (typeof name === 'object' && name !== null) || typeof name === 'function' ? textOfName(what, name) : name;
}

/** What stands for an id without a text, which nobody has. */
const NOBODY = Symbol('nobody');

/**
 * What a peer is kept under, read once.
 * @param {any} id
 * @returns {any}
 */
function keyOfPeer(id) {
  try {
    return readOnce('id', id);
  } catch {
    return NOBODY;
  }
}

/**
 * What a channel is compared by, read once: what an object makes of itself may change, or throw.
 * @param {any} channel
 * @returns {string | symbol}
 */
function keyOfChannel(channel) {
  return typeof channel === 'symbol' ? channel : textOfName('channel', channel);
}

/**
 * Checks the channel of a group, whose members may be on any host.
 * @param {any} channel
 */
function checkShared(channel) {
  if (typeof channel === 'symbol')
    throw typeError('ERR_INVALID_ARG_TYPE', 'The "channel" argument must have a text in a group, got a symbol');
}

/**
 * @param {string} what
 * @param {number} length
 * @param {number} most
 */
function checkLength(what, length, most) {
  if (length > most) throw tooLong(what, length, most);
}

/**
 * @param {string} what
 * @param {object} id
 * @param {number} most
 */
function checkObject(what, id, most) {
  let text;
  let name;
  try {
    text = JSON.stringify(id);
    name = String(id);
  } catch (cause) {
    const message = `The "${what}" argument must be something that JSON can carry, and have a text: ${textOf(cause)}`;
    throw Object.assign(typeError('ERR_INVALID_ARG_VALUE', message), { cause });
  }
  if (text === undefined)
    throw typeError('ERR_INVALID_ARG_VALUE', `The "${what}" argument must be something that JSON can carry`);
  checkLength(what, Math.max(text.length, name.length), most);
}

/**
 * Whether that is short enough for the id of a peer, or a name, of another host.
 * @param {any} id as JSON has carried it
 * @param {number} most characters
 */
function isShort(id, most) {
  if (typeof id === 'string') return id.length <= most;
  if (typeof id !== 'object' || id === null) return true;
  try {
    return JSON.stringify(id).length <= most && String(id).length <= most;
  } catch {
    return false; // it is nested too deeply, or has no text
  }
}

/**
 * An id as other hosts are told of it, read once: what an object makes of itself may change, and must not spoil what is told with it.
 * @param {any} id
 * @param {string} name what stands for it when it cannot be read
 * @returns {any}
 */
function asTold(id, name) {
  if (typeof id === 'bigint' || (typeof id === 'number' && !Number.isFinite(id))) return name;
  if (typeof id !== 'object' || id === null) return id;
  try {
    return JSON.parse(JSON.stringify(id));
  } catch {
    return name;
  }
}

module.exports = { asTold, checkId, checkName, checkShared, isShort, keyOfChannel, keyOfPeer, readOnce };
