'use strict';

const { debug } = require('../platform/index.js');
const { error, typeError } = require('../common/errors.js');
const { checkPort } = require('../common/validate.js');
const { parted, withCredentials } = require('./credentials.js');
const { urlOf } = require('./listen.js');
const { textOfUrl } = require('./names.js');
const { lookUp } = require('./owned.js');

/** Failures to join that would be the same when it is tried again. */
const FINAL = new Set(['ERR_REFUSED', 'ERR_NETWORK_ID_MISMATCH', 'ERR_INVALID_URL', 'ERR_TLS_UNSUPPORTED']);

/**
 * @param {any} urls
 * @returns {string[]} each once
 */
function checkSeeds(urls) {
  for (const url of urls) {
    if (typeof url !== 'string') {
      throw typeError(
        'ERR_INVALID_ARG_TYPE',
        `The "urls" argument must be an array of strings, got one with ${url === null ? 'null' : typeof url}`
      );
    }
    if (url === '') throw typeError('ERR_INVALID_ARG_VALUE', 'The "urls" argument must not contain an empty string');
    checkUrl(url);
  }
  if (urls.length === 0) throw typeError('ERR_INVALID_ARG_VALUE', 'The "urls" argument must not be empty');
  return [...new Set(urls)];
}

/** @param {string} url which is dialled, and then looked at once more, only when all are well formed */
function checkUrl(url) {
  const shown = url.replace(/\/\/[^/?#]*@/, '//'); // without a password
  if (URL.canParse(url)) {
    if (/^ws:\/\//i.test(url)) return;
    if (/^wss:\/\//i.test(url))
      throw error('ERR_TLS_UNSUPPORTED', `wss:// is not supported yet, use ws:// (url: ${shown})`);
  }
  throw typeError('ERR_INVALID_URL', `Invalid url (url: ${shown}), expected ws://host:port`);
}

/**
 * Joins by whichever of these hosts answers first. The others are joined as well, and tried again when they do not answer, but only
 * once one has answered: a host that reaches none of them is in no network that it could wait in.
 * @param {import('./core.js')} core
 * @param {string[]} urls at least one
 * @param {(url: string) => any} join
 * @returns {any} a promise, rejected when all have failed
 */
function joinAny(core, urls, join) {
  /** @type {Map<string, any>} */
  const failed = new Map();
  let joined = false;
  return new core.settings.Promise((/** @type {any} */ resolve, /** @type {any} */ reject) => {
    const retry = (/** @type {string} */ url, /** @type {any} */ err) => {
      core.members.unreachable(url, err);
      if (!FINAL.has(err.code)) core.tell((native) => native.retry(url));
    };
    const succeed = (/** @type {any} */ value) => {
      if (!joined) {
        joined = true;
        for (const [url, err] of failed) retry(url, err);
      }
      resolve(value);
    };
    const fail = (/** @type {string} */ url, /** @type {any} */ err) => {
      if (err.code === 'ERR_HOST_CLOSED') reject(err);
      else if (joined) retry(url, err);
      else failed.set(url, err);
      if (failed.size === urls.length) {
        const errors = urls.map((url) => Object.assign(failed.get(url), { url }));
        const texts = errors.map(({ url, message }) => `${url}: ${message}`).join('; ');
        reject(error('ERR_JOIN_FAILED', `None of the hosts could be joined (${texts})`, { errors }));
      }
    };
    for (const url of urls) join(url).then(succeed, (/** @type {any} */ err) => fail(url, err));
  });
}

/**
 * @param {any} host
 * @param {import('./core.js')} core of that host
 * @param {any} url or the address, with a port; or an array of these, of which one that answers is enough
 * @param {any} port
 * @returns {any} the host, or a promise for it
 */
function join(host, core, url, port) {
  core.guard.checkDraining();
  /** @param {string} url */
  const targetOf = (url) => parted(port === undefined || url.includes('://') ? url : urlOf(url, checkPort(port)));
  if (Array.isArray(url)) {
    const targets = url
      .map(textOfUrl)
      .map((one) => (typeof one === 'string' && one !== '' ? targetOf(one) : { url: one }));
    const others = checkSeeds(targets.map((one) => one.url)).filter((target) => target !== core.url);
    if (others.length === 0) return host;
    return withCredentials(core, targets, () => joinAny(core, others, (target) => joinOne(host, core, target)));
  }
  url = textOfUrl(url);
  if (typeof url !== 'string') {
    throw typeError('ERR_INVALID_ARG_TYPE', `The "url" argument must be a string or a URL, got ${typeof url}`);
  }
  const target = targetOf(url);
  return withCredentials(core, [target], () => joinOne(host, core, target.url));
}

/**
 * @param {any} host
 * @param {import('./core.js')} core
 * @param {string} target
 * @returns {any} a promise for the host
 */
function joinOne(host, core, target) {
  if (typeof lookUp(host, 'connections', target) === 'object' || target === core.url)
    return core.settings.Promise.resolve(host);
  const joined = core.call(
    (native, call) => native.join(call, target),
    () => host
  );
  if (debug.enabled) {
    joined.then(null, (/** @type {any} */ err) => {
      debug('%s: could not join %s: %s', core.name(), target, err.message);
    });
  }
  return joined;
}

module.exports = { join };
