'use strict';

/**
 * What a host shows can be replaced, frozen or set with traps by the program whose host it is. So it is read and written here, where that
 * can fail without harm: the host itself never depends on it.
 */

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
 * @param {import('./core.js')} core
 * @param {string} place
 * @param {any} key
 * @param {any} value
 */
function put(core, place, key, value) {
  try {
    core.host[place][key] = value;
  } catch (err) {
    core.trouble.unusable(`What stands in host.${place}`, err);
  }
}

/**
 * @param {import('./core.js')} core
 * @param {string} place
 * @param {any} key
 */
function drop(core, place, key) {
  try {
    delete core.host[place][key];
  } catch (err) {
    core.trouble.unusable(`What stands in host.${place}`, err);
  }
}

/**
 * @param {import('./core.js')} core
 * @param {string} place everything in which goes
 */
function empty(core, place) {
  let keys;
  try {
    keys = Object.keys(core.host[place]);
  } catch (err) {
    core.trouble.unusable(`What stands in host.${place}`, err);
    return;
  }
  for (const key of keys) drop(core, place, key);
}

/**
 * @param {import('./core.js')} core
 * @param {string} name of a property of the host
 * @param {any} value
 */
function show(core, name, value) {
  try {
    core.host[name] = value;
  } catch (err) {
    core.trouble.unusable(`The property host.${name}`, err);
  }
}

module.exports = { drop, empty, lookUp, put, show };
