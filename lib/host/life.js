'use strict';

const { AsyncResource } = require('../platform/index.js');
const { CHANGES, LINES } = require('../crossing/contract.js');
const { serialize } = require('../crossing/outbound.js');
const { NativeHost, readsOnLoop } = require('../crossing/native/load.js');
const { nativeOptions } = require('./options.js');

/** A line about peers that live here now. */
const CREATED = LINES.PEERS + CHANGES.MORE;

/** A host has a native host from when it first listens or joins until it is closed: its life. One that does neither costs nothing. */
class Life {
  /** @type {import('../crossing/contract.js').Carrier | null} */
  native = null;
  /** The end of `close`, while that goes on. @type {any} */
  closing = null;
  /** How long `close` waits for other hosts, in ms, if not as long as ever. @type {number | null} */
  closeWithin = null;
  /** The async context of this life. @type {import('node:async_hooks').AsyncResource | null} */
  resource = null;

  /** This host's id. */
  get id() {
    return this.native === null ? '' : this.native.id;
  }

  /** Whether the host has left, or is about to. */
  get ends() {
    return this.native === null || this.closing !== null;
  }
}

/**
 * @param {import('./core.js')} core of a host without a native host
 * @returns {import('../crossing/contract.js').Carrier}
 */
function begin(core) {
  const networkId = serialize(core.networkId) || null;
  // What is applied runs in the context in which this life began.
  const resource = new AsyncResource('DISTRIBUS');
  const wake = () => resource.runInAsyncScope(core.exchange.run, core.exchange);
  const native = new NativeHost(nativeOptions(core.host), wake, readsOnLoop());
  core.life.resource = resource;
  core.life.native = native;
  native.setUrl(typeof core.url === 'string' ? core.url : null);
  native.setNetworkId(networkId);
  for (const id of core.residents.ids()) core.outbound.change(CREATED, id);
  core.subscriptions.tellAll();
  core.flush();
  return native;
}

/**
 * What the native host was to answer has been answered, or is settled here.
 * @param {import('./core.js')} core
 */
function end(core) {
  const { life } = core;
  const { native } = life;
  if (native !== null) core.counters.endLife(JSON.parse(native.stats()), core.sends.next);
  life.native = null;
  native?.shutdown();
  life.resource?.emitDestroy();
  life.resource = null;
  core.outbound.take();
  core.requests.close();
  core.notes.closed(); // so that nothing is told again that was not taken
  core.sends.closed();
  core.calls.closed();
  life.closeWithin = null;
  core.guard.draining = null;
  core.relieved();
  core.mirror.closed();
}

module.exports = { CREATED, Life, begin, end };
