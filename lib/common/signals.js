'use strict';

const { readGiven, typeError } = require('./errors.js');

/**
 * What waits for each signal, of all hosts: each signal has one listener, because Node.js warns of many.
 * @type {WeakMap<AbortSignal, {callbacks: Set<() => void>, onAbort: () => void}>}
 */
const followed = new WeakMap();

/**
 * Whatever has what we need of an AbortSignal is one: other realms and polyfills have classes of their own.
 * @param {any} signal
 */
function checkSignal(signal) {
  if (signal === undefined) return;
  const fits = () =>
    signal !== null &&
    typeof signal === 'object' &&
    'aborted' in signal &&
    typeof signal.addEventListener === 'function' &&
    typeof signal.removeEventListener === 'function';
  if (readGiven(fits)) return;
  const got = signal === null ? 'null' : typeof signal;
  throw typeError('ERR_INVALID_ARG_TYPE', `The option "signal" must be an AbortSignal, got ${got}`);
}

/**
 * @param {AbortSignal} signal not aborted yet
 * @param {() => void} callback called once, when it is aborted
 */
function follow(signal, callback) {
  const waiting = followed.get(signal);
  if (waiting !== undefined) {
    waiting.callbacks.add(callback);
    return;
  }
  const callbacks = new Set([callback]);
  const onAbort = () => {
    letGo(signal, onAbort);
    for (const call of [...callbacks]) call();
  };
  readGiven(() => signal.addEventListener('abort', onAbort));
  followed.set(signal, { callbacks, onAbort });
}

/**
 * @param {AbortSignal} signal
 * @param {() => void} callback
 */
function unfollow(signal, callback) {
  const waiting = followed.get(signal);
  if (waiting !== undefined && waiting.callbacks.delete(callback) && waiting.callbacks.size === 0)
    letGo(signal, waiting.onAbort);
}

/**
 * @param {AbortSignal} signal
 * @param {() => void} onAbort
 */
function letGo(signal, onAbort) {
  if (!followed.delete(signal)) return;
  try {
    signal.removeEventListener('abort', onAbort);
  } catch {
    // A signal of the program's own making: whoever waits is told all the same.
  }
}

module.exports = { checkSignal, follow, unfollow };
