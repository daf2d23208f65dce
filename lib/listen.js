'use strict';

const net = require('node:net');
const { typeError } = require('./errors.js');

/** @param {string} address */
function isLoopback(address) {
  return address === '::1' || (net.isIPv4(address) && address.startsWith('127.'));
}

/** @param {string} address */
function unbracketed(address) {
  return address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address;
}

/**
 * Which addresses to bind. The address that a host is told to listen at is what it advertises; as ever it binds all interfaces, unless
 * that address is a loopback one, or `bind` says otherwise.
 * @param {any} address
 * @param {any} bind
 * @returns {{addresses: string[], required: number}} the first `required` ones must be bound
 */
function addressesToBind(address, bind) {
  if (bind !== undefined) {
    const ip = typeof bind === 'string' ? unbracketed(bind) : bind;
    if (typeof ip !== 'string' || (ip !== 'localhost' && net.isIP(ip) === 0)) {
      throw typeError('ERR_INVALID_ARG_VALUE', `The option "bind" must be an IP address or 'localhost', got ${String(bind)}`);
    }
    return ip === 'localhost' ? loopback() : { addresses: [ip], required: 1 };
  }
  const name = typeof address === 'string' ? unbracketed(address).toLowerCase() : '';
  if (name === 'localhost' || name.endsWith('.localhost')) return loopback();
  if (isLoopback(name)) return { addresses: [name], required: 1 };
  return { addresses: ['0.0.0.0', '::'], required: 1 };
}

function loopback() {
  return { addresses: ['127.0.0.1', '::1'], required: 1 };
}

/**
 * @param {any} address
 * @param {any} port
 */
function urlOf(address, port) {
  const name = typeof address === 'string' && net.isIPv6(address) ? '[' + address + ']' : address;
  return 'ws://' + name + ':' + port;
}

module.exports = { addressesToBind, urlOf };
