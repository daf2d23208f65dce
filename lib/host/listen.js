'use strict';

const { clearTimeout, hostname, isIP, isIPv4, isIPv6, lookUpAddresses, setTimeout } = require('../platform/index.js');
const { typeError } = require('../common/errors.js');

/**
 * Which addresses to bind.
 * @typedef {{addresses: string[], required: number}} Binding the first `required` ones must be bound
 */

/** How long to look for the addresses of a name that is listened at, in ms. */
const LOOKUP_TIMEOUT = 2000;

/** @param {string} address */
function unbracketed(address) {
  return address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address;
}

/**
 * The name or address of a host as the URL standard spells it: addresses in their one usual form, names in lower case.
 * @param {string} text
 */
function canonical(text) {
  const name = unbracketed(text);
  const ip = isIPv6(name) ? `[${name.split('%')[0]}]` : name;
  try {
    return unbracketed(new URL(`ws://${ip}`).hostname).replace(/\.$/, '');
  } catch {
    return name;
  }
}

/**
 * The address itself, where it is one of IPv4 in the form of one of IPv6.
 * @param {string} address in its usual form
 */
function unmapped(address) {
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(address);
  if (mapped === null) return address;
  const [high, low] = [parseInt(mapped[1], 16), parseInt(mapped[2], 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** @param {string} address in its usual form */
function isLoopback(address) {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

/**
 * Whether that is what this machine calls itself. Many systems give that name to a loopback address, for themselves alone: to other machines it
 * means another one.
 * @param {string} name
 */
function isOurName(name) {
  const ours = hostname().toLowerCase();
  if (ours.startsWith('localhost.')) return false;
  return name === ours || name.startsWith(`${ours}.`) || ours.startsWith(`${name}.`);
}

/**
 * Which addresses to bind. The address that a host is told to listen at is what it advertises; as ever it binds all interfaces, unless
 * that means this machine alone, or `bind` says otherwise.
 * @param {any} address
 * @param {any} bind
 * @returns {Binding | Promise<Binding>} a promise when a name has to be looked up
 */
function addressesToBind(address, bind) {
  if (typeof address === 'string' && address.includes('@')) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      'The "address" argument must not contain credentials: all other hosts are told of it'
    );
  }
  if (bind !== undefined) {
    const ip = typeof bind === 'string' ? canonical(bind) : '';
    if (ip === 'localhost') return loopback();
    if (isIP(unbracketed(String(bind))) === 0 || isIP(ip) === 0 || String(bind).includes('%')) {
      throw typeError(
        'ERR_INVALID_ARG_VALUE',
        `The option "bind" must be an IP address or 'localhost', got ${String(bind)}`
      );
    }
    return { addresses: [unmapped(ip)], required: 1 };
  }
  if (typeof address !== 'string' || address === '') return everything();
  const name = canonical(address);
  if (name === 'localhost' || name.endsWith('.localhost')) return loopback();
  const ip = unmapped(name);
  if (isLoopback(ip)) return { addresses: [ip], required: 1 };
  return isIP(ip) !== 0 || isOurName(name) ? everything() : bindingOf(name);
}

/** @returns {Binding} */
function loopback() {
  return { addresses: ['127.0.0.1', '::1'], required: 1 };
}

/** @returns {Binding} */
function everything() {
  return { addresses: ['0.0.0.0', '::'], required: 1 };
}

/**
 * What to bind for a name. One that is not known here may be known elsewhere.
 * @param {string} name
 * @returns {Promise<Binding>}
 */
function bindingOf(name) {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(everything()), LOOKUP_TIMEOUT);
    lookUpAddresses(name, (_err, found) => {
      clearTimeout(late);
      const addresses = [...new Set(found.map((address) => unmapped(canonical(address))))];
      addresses.sort((one, other) => isIP(one) - isIP(other)); // that of IPv6 is the one that a machine may lack
      resolve(addresses.length > 0 && addresses.every(isLoopback) ? { addresses, required: 1 } : everything());
    });
  });
}

/**
 * @param {any} address
 * @param {any} port
 */
function urlOf(address, port) {
  const name = typeof address === 'string' && isIPv6(address) ? '[' + address + ']' : address;
  return 'ws://' + name + ':' + port;
}

module.exports = { addressesToBind, urlOf };
