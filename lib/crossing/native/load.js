'use strict';

const { arch, forbidsAddons, isBun, os, variable } = require('../../platform/index.js');
const { error } = require('../../common/errors.js');

/** @returns {import('../contract.js').CarrierClass} */
function load() {
  try {
    // @ts-ignore The build makes this file.
    return require('./native.js').NativeHost;
  } catch (cause) {
    throw error('ERR_ADDON_UNAVAILABLE', forbidsAddons() ? FORBIDDEN : MISSING, { cause });
  }
}

const FORBIDDEN =
  'The native part of distribus cannot be loaded, because Node.js was told to load no addons: start it without --no-addons, or ' +
  'with --allow-addons where it runs with permissions.';

const MISSING =
  `The native part of distribus for ${os}-${arch} cannot be loaded: install distribus again without omitting ` +
  'optional dependencies, or build it with Rust by `npm install` in a clone of its repository.';

/**
 * Whether sockets are read on this thread, by its event loop: on Linux yes. `DISTRIBUS_IO`, `uv` or `portable`, decides otherwise.
 * Where the loop is not libuv's the native part does without.
 */
function readsOnLoop() {
  const wanted = variable('DISTRIBUS_IO');
  if (wanted === 'uv' || wanted === 'portable') return wanted === 'uv';
  return os === 'linux' && !isBun;
}

module.exports = { NativeHost: load(), readsOnLoop };
