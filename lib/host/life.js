'use strict';

const { AsyncResource } = require('../platform/index.js');
const { CHANGES, LINES } = require('../crossing/contract.js');
const { serialize } = require('../crossing/outbound.js');
const { NativeHost, readsOnLoop } = require('../crossing/native/load.js');
const { nativeOptions } = require('./options.js');

const CREATED = LINES.PEERS + CHANGES.MORE;

/**
 * A host has a native host from when it first listens or joins until it is closed: its life. One that does neither costs nothing.
 * @param {import('./core.js')} core of a host that has none
 * @returns {import('../crossing/contract.js').Carrier}
 */
function begin(core) {
  const networkId = serialize(core.networkId) || null;
  // What is applied runs in the context in which this life began.
  const resource = new AsyncResource('DISTRIBUS');
  const wake = () => resource.runInAsyncScope(core.exchange, core);
  const native = new NativeHost(nativeOptions(core.host), wake, readsOnLoop());
  core.resource = resource;
  core.native = native;
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
  const { native } = core;
  if (native !== null) core.counters.endLife(JSON.parse(native.stats()), core.sends.next);
  core.native = null;
  native?.shutdown();
  core.resource?.emitDestroy();
  core.resource = null;
  core.outbound.take();
  core.requests.close();
  core.notes.closed(); // so that nothing is told again that was not taken
  core.sends.closed();
  core.calls.closed();
  core.links = core.timers = 0;
  core.draining = core.closeWithin = null;
  core.relieved();
  core.hosts.clear();
}

module.exports = { begin, end };
