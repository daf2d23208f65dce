'use strict';

const dictionary = require('../common/dictionary.js');
const { abortError, badProperty, error, peerNotFound, readGiven } = require('../common/errors.js');
const { checkShared, keyOfChannel, keyOfPeer, readOnce } = require('../common/ids.js');
const { checkFunction, checkOptions, checkPattern, checkSubscription } = require('../common/validate.js');
const { serializeId } = require('../crossing/outbound.js');
const Peer = require('../peer/Peer.js');
const owners = require('../peer/owner.js');
const { clearTimeout, debug, setTimeout } = require('../platform/index.js');
const Core = require('./core.js');
const { bare } = require('./credentials.js');
const drain = require('./drain.js');
const Events = require('./events.js');
const { join } = require('./joining.js');
const { idOf } = require('./names.js');
const { copyOfOptions } = require('./options.js');
const { drop, lookUp, show } = require('./owned.js');
const { listen, stopOpening } = require('./serving.js');

/** How long closing takes at most, in ms, unless the program says otherwise, and how much later its end may be heard of. */
const CLOSE_WITHIN = 5000;
const SLACK = 100;

/** Where the private side of a host hangs. */
const CORE = Symbol('distribus');

/**
 * @param {any} host
 * @returns {Core}
 */
function coreOf(host) {
  return host[CORE];
}

/**
 * A node of the network: peers live on it, and it connects with other hosts.
 * @param {any} [options] see config
 * @constructor
 * @this {any}
 */
function Host(options) {
  const core = new Core(this);
  Object.defineProperty(this, CORE, { value: core, configurable: true });

  this.peers = dictionary();
  this.addresses = dictionary();
  Object.defineProperty(this, 'channels', {
    configurable: true,
    enumerable: true,
    get: () => core.subscriptions.visible,
    set: (channels) => {
      core.subscriptions.replace(channels);
    }
  });
  this.options = { reconnectTimeout: 300000, reconnectDelay: 1000, reconnectDecay: 2 };
  this.server = /** @type {any} */ (null);
  this.address = /** @type {any} */ (null);
  this.port = /** @type {any} */ (null);
  this.connections = dictionary();
  this.timers = dictionary();

  /**
   * Sends a message from one peer to another. Works detached from the host.
   * @param {any} from
   * @param {any} to
   * @param {any} message
   * @param {any} [options] `offline`: 'queue' to wait for the peer's host when it is lost
   */
  this.send = (from, to, message, options) => {
    let peer;
    try {
      peer = this.peers[to];
    } catch {
      // `core.send` says what is the matter.
    }
    if (typeof peer === 'object' && peer !== null) {
      peer.emit('message', from, message);
      return core.settings.sent;
    }
    return core.send(from, to, message, options);
  };
  owners.set(this.send, core.owner);

  Host.prototype.config.call(this, options);
}

/**
 * Makes a property that does not exist until it is first assigned, and whose later assignments reach the network.
 * @param {string} name
 * @param {(core: Core) => any} get
 * @param {(core: Core, value: any) => void} set
 */
function defineState(name, get, set) {
  Object.defineProperty(Host.prototype, name, {
    configurable: true,
    get: () => undefined,
    /** @this {any} */
    set(value) {
      const core = coreOf(this);
      Object.defineProperty(this, name, {
        configurable: true,
        enumerable: true,
        get: () => get(core),
        set: (value) => {
          set(core, value);
        }
      });
      set(core, value);
    }
  });
}
defineState(
  'url',
  (core) => core.url,
  (core, value) => core.setUrl(bare(value))
);
defineState(
  'networkId',
  (core) => core.networkId,
  (core, value) => core.setNetworkId(value)
);

/**
 * Applies options, and gives a copy of all that are set.
 * @param {any} [options]
 */
Host.prototype.config = function (options) {
  const core = coreOf(this);
  if (options) {
    const given = checkOptions(options, copyOfOptions(this));
    const { networkId } = given;
    if (networkId && core.mirror.links > 0 && this.networkId && this.networkId !== networkId) {
      throw error('ERR_NETWORK_ID_SET', 'Cannot replace networkId once set');
    }
    const changePromise = given.Promise === undefined ? undefined : core.settings.preparePromise(given.Promise);
    try {
      Object.assign(this.options, given);
    } catch (cause) {
      throw badProperty('What stands in host.options', cause);
    }
    changePromise?.();
    if (networkId) this.networkId = networkId;
    core.configure();
  }
  return copyOfOptions(this);
};

/**
 * Creates a peer. Other hosts are not asked whether they have one with the same id.
 * @param {any} id
 */
Host.prototype.create = function (id) {
  coreOf(this).outbound.checkId('id', id);
  if (typeof lookUp(this, 'peers', id) === 'object') throw error('ERR_ID_EXISTS', 'Id already exists (id: ' + id + ')');
  const peer = new /** @type {any} */ (Peer)(id, this.send);
  try {
    this.peers[id] = peer;
  } catch (cause) {
    throw badProperty('What stands in host.peers', cause);
  }
  coreOf(this).created(id);
  return peer;
};

/**
 * Removes a peer.
 * @param {any} peer the peer or its id
 */
Host.prototype.remove = function (peer) {
  if (!peer) return;
  const id = readGiven(() => idOf(peer));
  const key = keyOfPeer(id);
  const lived = typeof lookUp(this, 'peers', key) === 'object';
  drop(coreOf(this), 'peers', key);
  if (lived) coreOf(this).removed(id);
};

/**
 * @param {any} id
 * @returns {any} the local peer with that id, or null
 */
Host.prototype.get = function (id) {
  const peer = lookUp(this, 'peers', id);
  return typeof peer === 'object' ? peer : null;
};

/**
 * Finds the url of a peer's host: null when that host has no url.
 * @param {any} id
 */
Host.prototype.find = function (id) {
  const core = coreOf(this);
  return core.settings.attempt(() => {
    if (core.residents.get(id) !== undefined) return core.url || null;
    core.outbound.checkId('id', id);
    const address = lookUp(this, 'addresses', id);
    const noted = typeof address === 'string' && address.includes('://');
    // Of a host that is lost, another one may have the peer by now. The program itself may have noted the address.
    if (noted && (core.mirror.links === 0 || lookUp(this, 'connections', address) !== undefined)) return address;
    if (!core.mirror.mayKnow(id)) throw peerNotFound(id);
    const found = core.call((native, call) => native.find(call, serializeId(id) || null));
    return noted
      ? found.catch((/** @type {any} */ err) =>
          err.code === 'ERR_PEER_NOT_FOUND' ? address : core.settings.Promise.reject(err)
        )
      : found;
  });
};

/**
 * Lists the ids of all peers in the network, or of those that match. 0.4.0 hosts cannot be asked for theirs.
 * @param {any} [pattern]
 */
Host.prototype.list = function (pattern) {
  const core = coreOf(this);
  return core.settings.attempt(() => {
    const { pattern: checked } = checkPattern(pattern);
    core.outbound.checkName('pattern', checked);
    return core.notes.broadcasts.ids(checked);
  });
};

/**
 * Listens for other hosts.
 * @param {any} address what is advertised, and decides what is bound
 * @param {any} port
 * @param {any} [options] `bind`: the address to bind
 */
Host.prototype.listen = function (address, port, options) {
  const core = coreOf(this);
  if (core.life.closing !== null)
    return core.life.closing.then(() => Host.prototype.listen.call(this, address, port, options));
  return core.settings.attempt(() => listen(this, core, address, port, options));
};

/**
 * Joins another host, and all hosts that it is connected with.
 * @param {any} url or the address, with a port; or an array of these, of which one that answers is enough
 * @param {any} [port]
 */
Host.prototype.join = function (url, port) {
  const core = coreOf(this);
  if (core.life.closing !== null) return core.life.closing.then(() => Host.prototype.join.call(this, url, port));
  if (!url) return core.settings.Promise.resolve(this);
  return core.settings.attempt(() => join(this, core, url, port));
};

/** The other hosts of the network: those that have joined and not left, connected or lost. */
Host.prototype.hosts = function () {
  return coreOf(this).members.list();
};

/**
 * Leaves the network when everything is settled that is in flight from here.
 * @param {any} [options] `timeout`: how long that may take, in ms
 */
Host.prototype.drain = function (options) {
  const core = coreOf(this);
  return core.settings.attempt(() => drain(this, core, options));
};

/** Counters of what the host has done, and what waits for others. */
Host.prototype.stats = function () {
  return coreOf(this).stats();
};

/** Leaves the network: says goodbye, stops listening, ends every connection. */
Host.prototype.close = function () {
  const core = coreOf(this);
  if (core.life.closing !== null) return core.life.closing;
  core.requests.close();
  stopOpening(core);
  let late = /** @type {NodeJS.Timeout | undefined} */ (undefined);
  const ended = () => {
    clearTimeout(late);
    core.life.closing = null;
    core.listening = false;
    core.stop();
    core.mirror.forgetAll();
    if (this.server) for (const name of ['server', 'address', 'port', 'url']) show(core, name, null);
    core.members.clear();
    core.rest();
    return this;
  };
  if (debug.enabled) debug('%s: closing', core.name());
  if (core.life.native === null) return core.settings.Promise.resolve(ended());
  const closing = core.call((native, call) => native.close(call, core.life.closeWithin), ended);
  core.life.closing = closing;
  // The end stands in line behind all that has come: listeners are not waited for without end.
  late = setTimeout(() => core.calls.cut(closing), (core.life.closeWithin ?? CLOSE_WITHIN) + SLACK).unref();
  return closing;
};

/**
 * Publishes a message: to the subscribers of this host at once, and to all other hosts.
 * @param {any} channel
 * @param {any} message
 */
Host.prototype.publish = function (channel, message) {
  const core = coreOf(this);
  const name = readOnce('channel', channel);
  core.outbound.checkName('channel', name);
  core.subscriptions.publish(name, message);
  const more = core.publish(name, message);
  if (!core.notes.groups.busy || typeof name === 'symbol') return more;
  core.notes.groups.publish(String(name), message);
  return more && !core.guard.pressed; // by its jobs
};

/**
 * Sends a message to all peers in the network whose ids match. Without a pattern: to all peers.
 * @param {any} from
 * @param {any} pattern
 * @param {any} message
 * @param {any} [options] `self`: also to the sender
 */
Host.prototype.broadcast = function (from, pattern, message, options) {
  const { broadcasts } = coreOf(this).notes;
  return arguments.length > 2
    ? broadcasts.begin(from, pattern, message, options)
    : broadcasts.begin(from, null, pattern, options);
};

/**
 * Watches which peers there are whose ids match: first those that are there, then those that come and go.
 * @param {any} [pattern]
 * @param {any} [options] `signal`: ends it
 */
Host.prototype.watch = function (pattern, options) {
  const core = coreOf(this);
  const { pattern: checked, signal } = checkPattern(pattern, options);
  core.outbound.checkName('pattern', checked);
  if (readGiven(() => signal?.aborted)) throw abortError(/** @type {AbortSignal} */ (signal));
  return core.notes.watches.watch(checked, signal);
};

/**
 * Listens to a channel, or with wildcards to all channels that match: then the callback gets the channel as well.
 * @param {any} channel
 * @param {(message: any, channel?: string) => any} callback
 * @param {any} [options] `exact`: a `*` in the channel's name means itself; `group`: one of all members of that group gets each message
 */
Host.prototype.subscribe = function (channel, callback, options) {
  checkFunction(callback, 'callback');
  const { exact, group } = checkSubscription(options);
  const core = coreOf(this);
  const key = keyOfChannel(channel);
  core.outbound.checkName('channel', key);
  core.outbound.checkName('group', group);
  if (group !== undefined) checkShared(key);
  if (group === undefined) core.subscriptions.add(key, callback, exact);
  else core.notes.groups.add(String(key), exact, group, callback);
};

/**
 * @param {any} channel as it was subscribed to
 * @param {(message: any, channel?: string) => any} callback
 * @param {any} [options] as they were given
 */
Host.prototype.unsubscribe = function (channel, callback, options) {
  const { exact, group } = checkSubscription(options);
  const core = coreOf(this);
  const key = keyOfChannel(channel);
  if (group !== undefined) checkShared(key);
  if (group === undefined) core.subscriptions.remove(key, callback, exact);
  else core.notes.groups.remove(String(key), exact, group, callback);
};

/**
 * Resolves when every host that is connected knows what is subscribed to here: from then on nothing that they publish is missed.
 * @param {any} [_channel] for the reader: everything that was subscribed to before is waited for
 */
Host.prototype.ready = function (_channel) {
  const core = coreOf(this);
  if (core.life.native === null || core.mirror.links === 0) return core.settings.Promise.resolve(this);
  return core.call(
    (native, call) => native.ready(call),
    () => core.notes.groups.ready().then(() => this)
  );
};

// `await using host = new Host()`, where the platform knows that.
if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(Host.prototype, Symbol.asyncDispose, {
    configurable: true,
    writable: true,
    /** @this {any} */
    value() {
      return this.close().then(() => {});
    }
  });
}

Events.define(Host.prototype, (host) => coreOf(host).events);

module.exports = Host;
