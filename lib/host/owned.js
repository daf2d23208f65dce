'use strict';

/**
 * What a host shows can be replaced, frozen or set with traps by the program whose host it is. So it is read and written here, where that
 * can fail without harm: the host itself never depends on it.
 */

/** @typedef {{host: any, trouble: Pick<import('./trouble.js'), 'unusable'>}} Shown a host, and who reports what is wrong with it */

/**
 * @param {any} host
 * @param {string} place a property of the host that holds others
 * @param {any} key
 * @returns {any} undefined when it cannot be read
 */
function lookUp(host, place, key) {
  try {
    return host[place][key];
  } catch {
    return undefined;
  }
}

/**
 * @param {Shown} shown
 * @param {string} place
 * @param {any} key
 * @param {any} value
 */
function put(shown, place, key, value) {
  try {
    shown.host[place][key] = value;
  } catch (err) {
    shown.trouble.unusable(`What stands in host.${place}`, err);
  }
}

/**
 * @param {Shown} shown
 * @param {string} place
 * @param {any} key
 */
function drop(shown, place, key) {
  try {
    delete shown.host[place][key];
  } catch (err) {
    shown.trouble.unusable(`What stands in host.${place}`, err);
  }
}

/**
 * @param {Shown} shown
 * @param {string} place everything in which goes
 */
function empty(shown, place) {
  let keys;
  try {
    keys = Object.keys(shown.host[place]);
  } catch (err) {
    shown.trouble.unusable(`What stands in host.${place}`, err);
    return;
  }
  for (const key of keys) drop(shown, place, key);
}

/**
 * @param {Shown} shown
 * @param {string} name of a property of the host
 * @param {any} value
 */
function show(shown, name, value) {
  try {
    shown.host[name] = value;
  } catch (err) {
    shown.trouble.unusable(`The property host.${name}`, err);
  }
}

module.exports = { drop, empty, lookUp, put, show };
