'use strict';

const { base64 } = require('../platform/index.js');
const { typeError } = require('../common/errors.js');

/** Credentials are not longer than this, in characters. */
const MAX_LENGTH = 4096;

/** Where to dial, and what to show there: the value of the header `Authorization`, null for none; undefined when the url says nothing of it. */
/** @typedef {{url: string, authorization?: string | null}} Target */

/**
 * Takes the credentials out of a url. What is returned can be shown and told; credentials are for the native host alone.
 * @param {string} text
 * @returns {Target}
 */
function parted(text) {
  if (!text.includes('@')) return { url: text };
  const found = /^(wss?:\/\/)([^/?#]*)@(.*)$/is.exec(text);
  if (found === null) {
    // A path may hold an `@`; a password that holds a slash makes something else of the url.
    if (/^wss?:\/\/(\[[^\]@]*\]|[^:/?#@\s]+)(:\d+)?([/?#].*)?$/is.test(text)) return { url: text };
    throw invalid(
      text,
      'expected ws://host:port, or ws://user:password@host:port with credentials that are percent-encoded'
    );
  }
  const [, scheme, credentials, rest] = found;
  const url = scheme + rest;
  if (credentials === '') return { url, authorization: null };
  if (credentials.length > MAX_LENGTH) throw invalid(text, `expected credentials of ${MAX_LENGTH} characters at most`);
  let plain;
  try {
    plain = decodeURIComponent(credentials);
  } catch {
    throw invalid(text, 'expected credentials that are percent-encoded');
  }
  const pair = plain.includes(':') ? plain : `${plain}:`;
  return { url, authorization: `Basic ${base64(pair)}` };
}

/**
 * A url without what may be credentials.
 * @param {any} url
 */
function bare(url) {
  if (typeof url !== 'string' || !url.includes('@')) return url;
  try {
    return parted(url).url;
  } catch {
    return redacted(url);
  }
}

/** @param {string} text everything that may be credentials, or a part of them, is left out of it */
function redacted(text) {
  return text.replace(/^(\s*[a-z][a-z0-9+.-]*:[/\\]+)?.*@/is, '$1');
}

/**
 * @param {string} text
 * @param {string} expected
 */
function invalid(text, expected) {
  return typeError('ERR_INVALID_URL', `Invalid url (url: ${redacted(text)}), ${expected}`);
}

/**
 * Joins with the credentials that these targets bring. They stay in force for reconnects; those that were of no use are forgotten.
 * @param {import('./core.js')} core
 * @param {Target[]} targets
 * @param {() => any} join
 * @returns {any} what `join` returns
 */
function withCredentials(core, targets, join) {
  const bringing = targets.filter(({ authorization }) => authorization !== undefined);
  if (bringing.length === 0) return join();
  for (const { url, authorization } of bringing) core.start().authorize(url, authorization ?? null);
  return join().then(null, (/** @type {any} */ err) => {
    for (const { url, authorization } of bringing) {
      if (authorization) core.life.native?.forgetAuthorization(url, authorization);
    }
    throw err;
  });
}

module.exports = { bare, parted, withCredentials };
