'use strict';

const { arch, forbidsAddons, isBun, os, variable } = require('../../platform/index.js');
const { error } = require('../../common/errors.js');

/**
 * The class of native hosts, described in docs/internals/crossing.md.
 * @typedef {object} NativeHost
 * @property {string} id
 * @property {number} framesSent
 * @property {(replies: string | null, ops: string | null, beside: any[] | null) => string | null} exchange
 * @property {() => any[]} beside
 * @property {(questions: number, replies: string | null) => void} progress
 * @property {() => string} purge
 * @property {(ops: string, beside: any[] | null, more: boolean) => boolean} flush
 * @property {() => boolean} isPressed
 * @property {() => boolean} isSeeking
 * @property {(to: string | null) => boolean} refuses
 * @property {() => string} stats
 * @property {(call: number) => void} drain
 * @property {(addresses: string[], required: number, port: number) => string} listen
 * @property {() => void} closeServer
 * @property {(call: number, url: string) => void} join
 * @property {(url: string, authorization: string | null) => void} authorize
 * @property {(url: string, authorization: string) => void} forgetAuthorization
 * @property {(url: string) => void} retry
 * @property {(call: number, id: string | null) => void} find
 * @property {(call: number) => void} ready
 * @property {(call: number, within: number | null) => void} close
 * @property {(key: string) => void} disconnect
 * @property {(key: string) => void} cancelTimer
 * @property {(url: string | null) => void} setUrl
 * @property {(json: string | null) => void} setNetworkId
 * @property {(options: string) => void} configure
 * @property {() => void} writeNow
 * @property {() => void} shutdown
 */

/** @returns {new (options: string, wake: () => void, uv: boolean) => NativeHost} */
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
