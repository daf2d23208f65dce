'use strict';

/**
 * Everything of Node.js that the library uses. Only this folder names its globals and built-in modules. Functions that are called for every
 * message are bound once, when their users are loaded.
 */
const { AsyncResource } = require('node:async_hooks');
const { Buffer } = require('node:buffer');
const dns = require('node:dns');
const { EventEmitter } = require('node:events');
const { isIP, isIPv4, isIPv6 } = require('node:net');
const os = require('node:os');
const { debuglog } = require('node:util');
const { isUint8Array } = require('node:util/types');
const lastWords = require('./node/lastwords.js');
const time = require('./node/time.js');

/** Says what happens in the network when the environment variable NODE_DEBUG names distribus. Ask `enabled` before building texts. */
const debug = debuglog('distribus');

/**
 * Gives a warning of the process, by whatever gives them now: programs replace that.
 * @param {string | Error} warning
 * @param {any} [options]
 */
function warn(warning, options) {
  process.emitWarning(warning, options);
}

/**
 * @param {string} name of an environment variable
 * @returns {string | undefined}
 */
function variable(name) {
  return process.env[name];
}

/** @param {string} text */
function base64(text) {
  return Buffer.from(text).toString('base64');
}

/** What messages that were Buffers become again. @param {Uint8Array} bytes */
function bufferOf(bytes) {
  return Buffer.from(bytes);
}

/**
 * @param {string} name of a host
 * @param {(err: Error | null, addresses: string[]) => void} callback
 */
function lookUpAddresses(name, callback) {
  dns.lookup(name, { all: true }, (err, found) => callback(err, err ? [] : found.map(({ address }) => address)));
}

/** What this machine calls itself. */
function hostname() {
  return os.hostname();
}

/** Whether this process is one of several that run the same program: of Node's cluster or of PM2. */
function isClusterWorker() {
  return /** @type {any} */ (require('node:cluster')).isWorker || process.env.NODE_APP_INSTANCE !== undefined;
}

/** Whether Node.js was told to load no addons: it says so before it looks whether there is one. */
function forbidsAddons() {
  try {
    process.dlopen(/** @type {any} */ ({ exports: {} }), __filename + '.no-addon');
    return false;
  } catch (err) {
    return /** @type {any} */ (err).code === 'ERR_DLOPEN_DISABLED';
  }
}

module.exports = {
  ...time,
  AsyncResource,
  EventEmitter,
  arch: process.arch,
  base64,
  bufferOf,
  byteLength: Buffer.byteLength,
  debug,
  forbidsAddons,
  hostname,
  isBuffer: Buffer.isBuffer,
  isBun: process.versions.bun !== undefined,
  isClusterWorker,
  isIP,
  isIPv4,
  isIPv6,
  isUint8Array,
  lastWords,
  lookUpAddresses,
  os: process.platform,
  variable,
  warn
};
