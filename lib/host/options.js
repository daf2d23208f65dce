'use strict';

const { waitsInForce, withHeartbeats } = require('../common/validate.js');
const { badProperty } = require('../common/errors.js');
const { lookUp } = require('./owned.js');

/** Options that are numbers, and obeyed by the native host. */
const NATIVE_OPTIONS = [
  'handshakeTimeout',
  'heartbeatInterval',
  'heartbeatTimeout',
  'maxPayload',
  'maxIdLength',
  'maxQueueBytes',
  'maxInFlight',
  'maxAddresses',
  'maxSubscriptions',
  'maxConnections',
  'maxPendingHandshakes',
  'maxStrangerBytes',
  'maxBufferBytes'
];

/**
 * @param {any} host
 * @param {string} name
 * @returns {number | undefined} the option as it stands, when it is a number
 */
function numberOption(host, name) {
  const value = lookUp(host, 'options', name);
  return typeof value === 'number' ? value : undefined;
}

/**
 * @param {any} host
 * @returns {string} what the native host has to know, as JSON
 */
function nativeOptions(host) {
  const limits = Object.fromEntries(NATIVE_OPTIONS.map((name) => [name, numberOption(host, name)]));
  const asksToDial = typeof lookUp(host, 'options', 'dial') === 'function';
  const waits = waitsInForce((name) => lookUp(host, 'options', name));
  const heartbeats = withHeartbeats(limits);
  return JSON.stringify({ ...limits, ...waits, ...heartbeats, asksToDial, interests: true, directory: true });
}

/**
 * @param {any} host
 * @returns {Record<string, any>} a copy of the options that are set
 */
function copyOfOptions(host) {
  try {
    return { ...host.options };
  } catch (cause) {
    throw badProperty('What stands in host.options', cause);
  }
}

module.exports = { copyOfOptions, nativeOptions, numberOption };
