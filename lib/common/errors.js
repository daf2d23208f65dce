'use strict';

/**
 * What the mesh tells about a failure: a code and its facts.
 * @typedef {{code: string, id?: any, url?: string, text?: string, error?: Record<string, any>}} Failure
 */

/**
 * @param {string} code stable, for programs
 * @param {string} message for people
 * @param {Record<string, any>} [properties]
 * @returns {Error & {code: string}}
 */
function error(code, message, properties) {
  return Object.assign(new Error(message), { code }, properties);
}

/**
 * @param {string} code
 * @param {string} message
 * @returns {TypeError & {code: string}}
 */
function typeError(code, message) {
  return Object.assign(new TypeError(message), { code });
}

/**
 * What the text of an error calls an id.
 * @param {any} id
 * @returns {string}
 */
function nameOf(id) {
  try {
    return String(id);
  } catch {
    return 'an ' + typeof id + ' without text';
  }
}

/** @param {any} id */
function peerNotFound(id) {
  return error('ERR_PEER_NOT_FOUND', 'Peer not found (id: ' + nameOf(id) + ')');
}

function hostClosed() {
  return error('ERR_HOST_CLOSED', 'Host closed');
}

/** @param {any} id */
function overloaded(id) {
  return error('ERR_OVERLOADED', 'The queue is full, the message was not sent (id: ' + nameOf(id) + ')');
}

/** @param {string} host its id */
function tooManyWatches(host) {
  return error(
    'ERR_TOO_MANY_WATCHES',
    `Another host serves no more watches of this one, see its maxSubscriptions (id: ${host})`
  );
}

/** @param {string} host its id */
function tooManyPeers(host) {
  return error('ERR_TOO_MANY_PEERS', `Another host tells of more peers than one watch may have of it (id: ${host})`);
}

/** @param {string} host its id */
function tooManyMembers(host) {
  const message = `Between this host and another one there are more members of groups than maxSubscriptions allows: not all of them get jobs (id: ${host})`;
  return error('ERR_TOO_MANY_MEMBERS', message);
}

function hostDraining() {
  return error('ERR_HOST_DRAINING', 'Host is draining, nothing new can begin');
}

/**
 * @param {string} what
 * @param {number} length
 * @param {number} most
 */
function tooLong(what, length, most) {
  const message = `The ${what} is longer than maxIdLength (${length} > ${most})`;
  return Object.assign(new RangeError(message), { code: 'ERR_ID_TOO_LONG' });
}

/**
 * @param {any} id
 * @param {string} [more]
 */
function messageTooLarge(id, more = '') {
  return error('ERR_MESSAGE_TOO_LARGE', 'The message is larger than maxPayload' + more + ' (id: ' + nameOf(id) + ')');
}

/** @param {any} id */
function deliveryUnknown(id) {
  const message =
    'Connection lost before the answer, the message was delivered once or not at all (id: ' + nameOf(id) + ')';
  return error('ERR_DELIVERY_UNKNOWN', message);
}

function timedOut() {
  return error('ERR_REQUEST_TIMEOUT', 'Timeout');
}

/** @param {any} id */
function noHandler(id) {
  return error('ERR_NO_HANDLER', 'Peer answers no requests (id: ' + nameOf(id) + ')');
}

/**
 * @param {string} text
 * @param {any} [cause] the error itself, where it can be had
 */
function handlerThrew(text, cause) {
  return error('ERR_HANDLER', text, cause === undefined ? undefined : { cause });
}

/**
 * @param {string} url
 * @param {boolean} ours
 */
function urlTaken(url, ours) {
  const who = ours ? 'Another host advertises ' + url + ', as this one does' : 'Two hosts advertise ' + url;
  const remedy =
    'all but one are reached by other names or over other hosts. Let each listen at an address by which the others can dial it';
  return error('ERR_URL_TAKEN', who + ': ' + remedy, { url });
}

/**
 * The error of Node.js's own functions that take a signal.
 * @param {AbortSignal} signal
 */
function abortError(signal) {
  let cause;
  try {
    cause = signal.reason;
  } catch (err) {
    cause = err;
  }
  return error('ABORT_ERR', 'The operation was aborted', { name: 'AbortError', cause });
}

/**
 * What to say about something that was thrown.
 * @param {any} err
 * @returns {string}
 */
function textOf(err) {
  try {
    return String((err && err.message) || err);
  } catch {
    return 'unknown error';
  }
}

/**
 * @param {string} what of the host a program has replaced
 * @param {any} cause
 */
function badProperty(what, cause) {
  return error('ERR_BAD_PROPERTY', `${what} cannot be used: ${textOf(cause)}`, { cause });
}

/**
 * An error with a code: what the program itself has thrown, while something that it gave was looked at, has none.
 * @param {any} err
 * @returns {any}
 */
function coded(err) {
  try {
    if (err instanceof Error && typeof (/** @type {any} */ (err).code) === 'string') return err;
  } catch {
    // not even its code can be read
  }
  return Object.assign(typeError('ERR_INVALID_ARG_VALUE', `An argument cannot be used: ${textOf(err)}`), {
    cause: err
  });
}

/**
 * Reads something that the program gave. What its own objects throw meanwhile gets a code.
 * @template T
 * @param {() => T} read
 * @returns {T}
 */
function readGiven(read) {
  try {
    return read();
  } catch (err) {
    throw coded(err);
  }
}

/**
 * Makes the error that a program gets.
 * @param {Failure} failure
 * @returns {Error & {code: string}}
 */
function fromFailure(failure) {
  const { code, id, url } = failure;
  switch (code) {
    case 'ERR_PEER_NOT_FOUND':
      return peerNotFound(id);
    case 'ERR_PEER_UNREACHABLE':
      return error(code, 'Peer unreachable (id: ' + nameOf(id) + ', url: ' + url + ')');
    case 'ERR_LISTENER':
      return error(code, 'Peer not found (id: ' + nameOf(id) + ')');
    case 'ERR_DELIVERY_UNKNOWN':
      return deliveryUnknown(id);
    case 'ERR_OVERLOADED':
      return overloaded(id);
    case 'ERR_MESSAGE_TOO_LARGE':
      return messageTooLarge(id, ' of its receiver');
    case 'ERR_REQUEST_TIMEOUT':
      return timedOut();
    case 'ERR_REQUEST_NOT_SUPPORTED':
      return error(code, 'The host of that peer knows no requests (id: ' + nameOf(id) + ')');
    case 'ERR_HOST_CLOSED':
      return hostClosed();
    case 'ERR_CONNECTION_LOST':
      return error(code, 'Connection lost before the greeting was answered (url: ' + url + ')');
    case 'ERR_REFUSED': {
      const text = String(failure.text);
      return error(text.startsWith('Network id mismatch') ? 'ERR_NETWORK_ID_MISMATCH' : code, text);
    }
    case 'ERR_DIAL': {
      const { message, code, errors, ...facts } = /** @type {Record<string, any>} */ (failure.error);
      if (errors) facts.errors = errors.map((/** @type {any} */ error) => fromFailure({ code: 'ERR_DIAL', error }));
      return Object.assign(code === 'ERR_INVALID_URL' ? new TypeError(message) : new Error(message), { code }, facts);
    }
    default:
      return error(code, code);
  }
}

module.exports = {
  abortError,
  badProperty,
  coded,
  deliveryUnknown,
  error,
  fromFailure,
  handlerThrew,
  hostClosed,
  hostDraining,
  messageTooLarge,
  nameOf,
  noHandler,
  overloaded,
  peerNotFound,
  readGiven,
  textOf,
  timedOut,
  tooLong,
  tooManyMembers,
  tooManyPeers,
  tooManyWatches,
  typeError,
  urlTaken
};
