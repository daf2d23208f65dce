'use strict';

const { readGiven, typeError } = require('./errors.js');
const { checkSignal } = require('./signals.js');

/** Options that are whole numbers: the least and the greatest that makes sense, and what they count. */
const LIMITS = {
  // What hosts tell each other about themselves has to fit as well.
  maxPayload: { least: 64 * 1024, most: 2 ** 31 - 1, unit: 'bytes' },
  maxIdLength: { least: 1, most: 2 ** 31 - 1, unit: 'characters' },
  maxQueueBytes: { least: 64 * 1024, most: 2 ** 40, unit: 'bytes' },
  maxInFlight: { least: 1, most: 2 ** 31 - 1, unit: 'messages' },
  maxAddresses: { least: 1, most: 2 ** 31 - 1, unit: 'addresses' },
  maxSubscriptions: { least: 1, most: 2 ** 31 - 1, unit: 'names' },
  maxConnections: { least: 0, most: 2 ** 31 - 1, unit: 'connections' },
  maxPendingHandshakes: { least: 1, most: 2 ** 31 - 1, unit: 'connections' },
  maxStrangerBytes: { least: 64 * 1024, most: 2 ** 40, unit: 'bytes' },
  maxBufferBytes: { least: 64 * 1024, most: 2 ** 40, unit: 'bytes' }
};

/**
 * @param {string} name
 * @param {any} value
 */
function checkDelay(name, value) {
  if (typeof value !== 'number') {
    throw typeError(
      'ERR_INVALID_ARG_TYPE',
      `The option "${name}" must be a number of milliseconds, got ${shown(value)}`
    );
  }
  if (!(value >= 0 && value <= 2 ** 31 - 1)) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `The option "${name}" must be from 0 to ${2 ** 31 - 1} milliseconds, got ${value}`
    );
  }
}

/** @param {any} options */
function checkLimits(options) {
  for (const [name, { least, most, unit }] of Object.entries(LIMITS)) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== 'number') {
      throw typeError('ERR_INVALID_ARG_TYPE', `The option "${name}" must be a number of ${unit}, got ${shown(value)}`);
    }
    if (!(Number.isInteger(value) && value >= least && value <= most)) {
      throw typeError(
        'ERR_INVALID_ARG_VALUE',
        `The option "${name}" must be a whole number of ${unit} from ${least} to ${most}, got ${value}`
      );
    }
  }
  const { handshakeTimeout, offline } = options;
  if (handshakeTimeout !== undefined) {
    checkDelay('handshakeTimeout', handshakeTimeout);
    if (handshakeTimeout === 0)
      throw typeError('ERR_INVALID_ARG_VALUE', 'The option "handshakeTimeout" must be more than 0 milliseconds, got 0');
  }
  checkOffline(offline);
}

/** How often other hosts hear of a host, and how long one may be silent, in ms. */
const HEARTBEATS = { heartbeatInterval: 8000, heartbeatTimeout: 24000 };

/**
 * @param {any} options
 * @param {any} before the options that are set
 */
function checkHeartbeats(options, before) {
  const names = /** @type {(keyof typeof HEARTBEATS)[]} */ (Object.keys(HEARTBEATS)).filter(
    (name) => options[name] !== undefined
  );
  for (const name of names) checkDelay(name, options[name]);
  const { heartbeatInterval, heartbeatTimeout } = withHeartbeats({ ...before, ...options });
  if (names.length > 0 && heartbeatInterval > 0 && !(heartbeatTimeout > heartbeatInterval)) {
    const limits = `${heartbeatTimeout}, of ${heartbeatInterval}`;
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `The option "heartbeatTimeout" must be greater than "heartbeatInterval", got ${limits}`
    );
  }
}

/**
 * @param {any} options
 * @returns {typeof HEARTBEATS} as they are in force
 */
function withHeartbeats({ heartbeatInterval, heartbeatTimeout }) {
  return {
    heartbeatInterval: heartbeatInterval ?? HEARTBEATS.heartbeatInterval,
    heartbeatTimeout: heartbeatTimeout ?? HEARTBEATS.heartbeatTimeout
  };
}

/** @param {any} count of listeners; 0 stands for any number */
function checkMaxListeners(count) {
  if (typeof count !== 'number')
    throw typeError('ERR_INVALID_ARG_TYPE', `The "count" argument must be a number, got ${shown(count)}`);
  if (!(count >= 0))
    throw typeError('ERR_INVALID_ARG_VALUE', `The "count" argument must not be negative, got ${count}`);
}

/** How a lost host is looked for: as 0.4.0 they take numbers as texts as well. */
const RECONNECTS = {
  reconnectTimeout: { most: Infinity, zero: true, unit: 'of milliseconds ' },
  reconnectDelay: { most: 2 ** 31 - 1, zero: true, unit: 'of milliseconds ' },
  reconnectDecay: { most: Number.MAX_VALUE, zero: false, unit: '' }
};

/** @param {any} options */
function checkReconnects(options) {
  for (const [name, { most, zero, unit }] of Object.entries(RECONNECTS)) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' && typeof value !== 'string') {
      throw typeError('ERR_INVALID_ARG_TYPE', `The option "${name}" must be a number, got ${shown(value)}`);
    }
    const number = reconnectNumber(value);
    if (number === undefined || number > most || (number === 0 && !zero)) {
      const least = zero ? 'from 0 to' : 'greater than 0, at most';
      throw typeError(
        'ERR_INVALID_ARG_VALUE',
        `The option "${name}" must be a number ${unit}${least} ${most}, got ${value}`
      );
    }
  }
}

/**
 * @param {any} value of one of these options
 * @returns {number | undefined} the number that it stands for
 */
function reconnectNumber(value) {
  if (typeof value !== 'number' && (typeof value !== 'string' || value.trim() === '')) return undefined;
  const number = Number(value);
  return number >= 0 ? number : undefined;
}

/** A hundred years, in ms: what the native part can reckon with, and JSON can say. */
const FOREVER = 100 * 365 * 24 * 60 * 60 * 1000;

/**
 * @param {(name: string) => any} optionOf
 * @returns {Record<string, number | undefined>} how long is waited for others, where that makes sense
 */
function waitsInForce(optionOf) {
  return Object.fromEntries(
    ['requestTimeout', ...Object.keys(RECONNECTS)].map((name) => {
      const number = reconnectNumber(optionOf(name));
      return [name, number === undefined ? undefined : Math.min(number, FOREVER)];
    })
  );
}

/** @param {any} offline */
function checkOffline(offline) {
  if (offline === undefined || offline === 'reject' || offline === 'queue') return;
  throw typeError('ERR_INVALID_ARG_VALUE', `The option "offline" must be 'reject' or 'queue', got ${shown(offline)}`);
}

/** @param {any} value */
function shown(value) {
  return typeof value === 'string' ? `'${value}'` : value === null ? 'null' : typeof value;
}

/** @param {any} options that are to be an object */
function checkObject(options) {
  if (typeof options !== 'object' || options === null) {
    throw typeError('ERR_INVALID_ARG_TYPE', `The "options" argument must be an object, got ${shown(options)}`);
  }
}

/**
 * @param {any} value
 * @param {string} name of the option
 */
function checkBoolean(value, name) {
  if (typeof value !== 'boolean') {
    throw typeError('ERR_INVALID_ARG_TYPE', `The option "${name}" must be a boolean, got ${shown(value)}`);
  }
}

/**
 * @param {any} callback
 * @param {string} name
 * @param {'argument' | 'option'} [kind]
 */
function checkFunction(callback, name, kind = 'argument') {
  if (typeof callback !== 'function') {
    const what = kind === 'argument' ? `The "${name}" argument` : `The option "${name}"`;
    throw typeError('ERR_INVALID_ARG_TYPE', `${what} must be a function, got ${shown(callback)}`);
  }
}

/** Those options that have a meaning here: undefined ones are as if they were not given. */
const KNOWN = [
  'networkId',
  'Promise',
  'requestTimeout',
  'handshakeTimeout',
  'offline',
  'dial',
  ...Object.keys(LIMITS),
  ...Object.keys(HEARTBEATS),
  ...Object.keys(RECONNECTS)
];

/** @param {any} id that other hosts have to compare with theirs; those that are falsy stand for none */
function checkNetworkId(id) {
  let text;
  /** @type {{cause: any} | undefined} */
  let thrown;
  try {
    text = JSON.stringify(id);
  } catch (cause) {
    thrown = { cause };
  }
  if (id && text === undefined) {
    const message = `The option "networkId" must be something that JSON can carry, got ${shown(id)}`;
    throw Object.assign(typeError('ERR_INVALID_ARG_VALUE', message), thrown);
  }
}

/**
 * Checks the options that are known; unknown ones are taken as they come.
 * @param {any} options
 * @param {any} before the options that are set
 * @returns {Record<string, any>} a copy, with those that are given
 */
function checkOptions(options, before) {
  checkObject(options);
  const given = readGiven(() => ({ ...options }));
  for (const name of KNOWN) if (given[name] === undefined) delete given[name];
  const { dial, networkId, Promise, requestTimeout } = given;
  checkNetworkId(networkId);
  if (Promise !== undefined) {
    checkFunction(Promise, 'Promise', 'option');
    if (!readGiven(() => typeof Promise.resolve === 'function' && typeof Promise.reject === 'function')) {
      throw typeError(
        'ERR_INVALID_ARG_VALUE',
        'The option "Promise" must be a class of promises, with resolve and reject'
      );
    }
  }
  if (dial !== undefined) checkFunction(dial, 'dial', 'option');
  checkLimits(given);
  checkHeartbeats(given, before);
  checkReconnects(given);
  if (requestTimeout !== undefined) checkTimeout(requestTimeout, 'requestTimeout');
  return given;
}

/**
 * Whether that can be a number of milliseconds to wait. Infinity stands for as long as it takes.
 * @param {any} value
 * @param {string} name
 */
function checkTimeout(value, name) {
  if (typeof value !== 'number') {
    const got = shown(value);
    throw typeError('ERR_INVALID_ARG_TYPE', `The option "${name}" must be a number of milliseconds, got ${got}`);
  }
  if (!(value > 0)) {
    const message = `The option "${name}" must be a positive number of milliseconds, got ${value}`;
    throw typeError('ERR_INVALID_ARG_VALUE', message);
  }
}

const NO_OPTIONS = { exact: false, group: undefined };

/**
 * Checks the options of a subscription.
 * @param {any} options
 * @returns {{exact: boolean, group: string | undefined}}
 */
function checkSubscription(options) {
  if (options === undefined || options === null) return NO_OPTIONS;
  checkObject(options);
  const { exact = false, group } = readGiven(() => ({ exact: options.exact, group: options.group }));
  checkBoolean(exact, 'exact');
  if (group !== undefined && typeof group !== 'string') {
    throw typeError('ERR_INVALID_ARG_TYPE', `The option "group" must be a string, got ${shown(group)}`);
  }
  if (group === '') throw typeError('ERR_INVALID_ARG_VALUE', 'The option "group" must not be empty');
  return { exact, group };
}

/**
 * @param {any} options of a request
 * @returns {{timeout?: number, signal?: AbortSignal}}
 */
function checkRequestOptions(options) {
  if (options === undefined || options === null) return {};
  checkObject(options);
  const { timeout, signal } = options;
  if (timeout !== undefined) checkTimeout(timeout, 'timeout');
  checkSignal(signal);
  return { timeout, signal };
}

/**
 * @param {any} port
 * @returns {number}
 */
function checkPort(port) {
  const number = typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port;
  if (typeof number !== 'number') {
    throw typeError('ERR_INVALID_ARG_TYPE', `The "port" argument must be a number, got ${shown(port)}`);
  }
  if (!Number.isInteger(number) || number < 0 || number > 65535) {
    throw typeError('ERR_INVALID_ARG_VALUE', `The "port" argument must be an integer from 0 to 65535, got ${port}`);
  }
  return number;
}

/**
 * Checks a pattern, and the options that come with it.
 * @param {any} pattern none stands for everything
 * @param {any} [options]
 * @returns {{pattern: string, self: boolean, signal: AbortSignal | undefined}}
 */
function checkPattern(pattern, options) {
  if (pattern !== undefined && pattern !== null && typeof pattern !== 'string') {
    throw typeError('ERR_INVALID_ARG_TYPE', `The "pattern" argument must be a string, got ${shown(pattern)}`);
  }
  if (options !== undefined && options !== null) checkObject(options);
  const { self = false, signal } = readGiven(() => ({ self: options?.self, signal: options?.signal }));
  checkBoolean(self, 'self');
  checkSignal(signal);
  return { pattern: pattern ?? '**', self, signal };
}

module.exports = {
  checkDelay,
  checkFunction,
  checkMaxListeners,
  checkOffline,
  checkOptions,
  checkPattern,
  checkPort,
  checkRequestOptions,
  checkSubscription,
  waitsInForce,
  withHeartbeats
};
