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

/** @param {any} id */
function peerNotFound(id) {
  return error('ERR_PEER_NOT_FOUND', 'Peer not found (id: ' + id + ')');
}

function hostClosed() {
  return error('ERR_HOST_CLOSED', 'Host closed');
}

function requestTimeout() {
  return error('ERR_REQUEST_TIMEOUT', 'Timeout');
}

/**
 * What an aborted signal makes of what it aborts, as Node's own functions do it.
 * @param {AbortSignal} signal
 */
function abortError(signal) {
  const err = error('ABORT_ERR', 'The operation was aborted', { cause: signal.reason });
  err.name = 'AbortError';
  return err;
}

/** @param {any} id */
function deliveryUnknown(id) {
  const message = 'Connection lost before the answer, the message was delivered once or not at all (id: ' + id + ')';
  return error('ERR_DELIVERY_UNKNOWN', message);
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
      return error(code, 'Peer unreachable (id: ' + id + ', url: ' + url + ')');
    case 'ERR_LISTENER':
      return error(code, 'Peer not found (id: ' + id + ')');
    case 'ERR_DELIVERY_UNKNOWN':
      return deliveryUnknown(id);
    case 'ERR_REQUEST_TIMEOUT':
      return requestTimeout();
    case 'ERR_HOST_CLOSED':
      return hostClosed();
    case 'ERR_CONNECTION_LOST':
      return error(code, 'Connection lost before the greeting was answered (url: ' + url + ')');
    case 'ERR_REFUSED': {
      const text = String(failure.text);
      return error(text.startsWith('Network id mismatch') ? 'ERR_NETWORK_ID_MISMATCH' : code, text);
    }
    case 'ERR_DIAL': {
      const { message, code, ...facts } = /** @type {Record<string, any>} */ (failure.error);
      return error(code, message, facts);
    }
    default:
      return error(code, code);
  }
}

module.exports = { error, typeError, peerNotFound, hostClosed, requestTimeout, abortError, deliveryUnknown, fromFailure };
