'use strict';

const Bluebird = require('../common/Promise.js');
const { coded, hostDraining, overloaded, peerNotFound } = require('../common/errors.js');
const { pend, promiseOf } = require('../common/pending.js');
const { checkOffline } = require('../common/validate.js');
const { CHANGES, LINES } = require('../crossing/contract.js');
const apply = require('../crossing/inbound.js');
const { Outbound, isCarried, serialize, serializeId } = require('../crossing/outbound.js');
const Subscriptions = require('../channels/subscriptions.js');
const Notes = require('../notes/notes.js');
const { Requests } = require('../peer/requests.js');
const Residents = require('../peer/residents.js');
const Calls = require('./calls.js');
const Events = require('./events.js');
const keepAlive = require('./keepalive.js');
const { begin, end } = require('./life.js');
const Members = require('./members.js');
const Mirror = require('./mirror.js');
const { nativeOptions, numberOption } = require('./options.js');
const { lookUp } = require('./owned.js');
const Sends = require('./sends.js');
const Counters = require('./stats.js');
const Trouble = require('./trouble.js');

/** Lines about peers of this host. */
const CREATED = LINES.PEERS + CHANGES.MORE;
const REMOVED = LINES.PEERS + CHANGES.LESS;

/**
 * The private side of a host: it talks to the native host.
 * The native host is made when the host first listens or joins, so that a host that does neither costs nothing.
 */
class Core {
  /** @param {any} host */
  constructor(host) {
    this.host = host;
    /** @type {import('../crossing/contract.js').Carrier | null} */
    this.native = null;
    this.links = 0; // connections that stand in host.connections
    this.timers = 0;
    this.listening = false;
    /** @type {any} */
    this.closing = null;
    this.setPromise(Bluebird);
    this.url = undefined;
    this.networkId = undefined;
    this.subscriptions = new Subscriptions((change, name) => {
      if (this.native !== null) this.outbound.change(change, name);
    });
    /** Keys of connections with hosts of this version, by the hosts' ids. @type {Map<string, string>} */
    this.hosts = new Map();
    this.notes = new Notes(this);
    this.mirror = new Mirror(this);
    this.outbound = new Outbound((text, beside, more) => {
      if (this.native?.flush(text, beside, more)) this.press();
      this.handed++;
    });
    /** How often something was handed over. */
    this.handed = 0;
    /** Whether so much waits for a host that it is better to publish no more for now. */
    this.pressed = false;
    /** The end of `drain`, while that goes on. @type {any} */
    this.draining = null;
    /** How long `close` waits for other hosts, in ms, if not as long as ever. @type {number | null} */
    this.closeWithin = null;
    /** Whether either is so, and sends have to be looked at. */
    this.guarded = false;
    /** Whether the host of `askedFor` takes no more, as it was after `askedAt` hand-overs. */
    this.refused = false;
    /** @type {any} */
    this.askedFor = undefined;
    this.askedAt = -1;
    this.counters = new Counters();
    /** The async context of this life. @type {import('node:async_hooks').AsyncResource | null} */
    this.resource = null;
    this.trouble = new Trouble(() => this.events);
    this.sends = new Sends(this.counters, this.trouble);
    this.calls = new Calls(this.trouble);
    this.residents = new Residents(this);
    this.requests = new Requests(this);
    this.events = new Events(host, (what, err, event) => this.trouble.threw(what, err, event === 'error'));
    this.members = new Members(this.events, () => this.name());
  }

  /**
   * Sets the class of the promises that the host returns.
   * @param {any} Promise bluebird's, or one like it
   */
  setPromise(Promise) {
    this.Promise = Promise;
    /** What every send to a local peer returns. */
    this.sent = Promise.resolve(null);
  }

  /**
   * A promise for what the function returns, rejected with what it throws.
   * @param {() => any} work
   * @returns {any}
   */
  attempt(work) {
    return new this.Promise((/** @type {any} */ resolve, /** @type {any} */ reject) => {
      try {
        resolve(work());
      } catch (err) {
        reject(coded(err));
      }
    });
  }

  // The native host.

  /** @returns {import('../crossing/contract.js').Carrier} */
  start() {
    return this.native ?? begin(this);
  }

  /** Ends the native host. */
  stop() {
    end(this);
  }

  /** Applies events that wait, batch by batch; hands over what listeners sent meanwhile together with the word that they have returned. */
  exchange() {
    const { native } = this;
    if (native === null) return;
    let replies = null;
    this.outbound.applying = true;
    for (;;) {
      const { beside, published } = this.outbound;
      const waits = this.outbound.waits ? this.outbound.take() : null;
      const text = native.exchange(replies, waits, beside);
      if (waits !== null) {
        this.handed++;
        if (published && native.isPressed()) this.press();
      }
      if (text === null) break;
      this.askedAt = -1; // there may be room again
      replies = apply(this, native, text);
      if (this.native !== native) break; // closed by what was applied
    }
    this.outbound.applying = false;
    if (this.native === native) this.rest();
  }

  /** Hands over what was collected. */
  flush() {
    if (this.outbound.waits) this.outbound.flush(false);
  }

  /**
   * The process may end now: what was collected is written.
   * @param {boolean} [urgent] whether what is said from now on is to be handed over at once, as long as that is known
   */
  lastWords(urgent = this.outbound.urgent) {
    this.outbound.urgent = urgent;
    this.flush();
    this.native?.writeNow();
  }

  /** Whether the program has to be told of something that the network does. */
  isBusy() {
    // A lost host that is just being dialled has neither a connection nor a timer; whether it is a member or not, it is looked for.
    return (
      this.listening ||
      this.links > 0 ||
      this.timers > 0 ||
      this.members.size > 0 ||
      this.calls.size > 0 ||
      this.sends.size > 0 ||
      this.requests.waiting.size > 0 ||
      (this.native !== null && this.native.isSeeking())
    );
  }

  /** Lets the process end, or not, as the host's state wants it. */
  rest() {
    keepAlive(this, this.isBusy());
  }

  /**
   * Begins a call that ends with an event.
   * @param {(native: import('../crossing/contract.js').Carrier, call: number) => void} begin
   * @param {(value: any) => any} [end] makes the promise's value of the event's, when the event is applied
   * @returns {any}
   */
  call(begin, end) {
    const native = this.start();
    this.flush();
    const promise = this.calls.begin(this.Promise, (call) => begin(native, call), end);
    this.rest();
    return promise;
  }

  /**
   * Tells the native host something, after what was collected before.
   * @param {(native: import('../crossing/contract.js').Carrier) => void} tell
   */
  tell(tell) {
    this.flush();
    if (this.native !== null) tell(this.native);
  }

  // What programs ask for.

  /**
   * Whether anybody but this host could know that peer.
   * @param {any} id
   */
  mayKnow(id) {
    return this.native !== null && (this.links > 0 || typeof lookUp(this.host, 'addresses', id) === 'string');
  }

  /**
   * Sends to a peer that does not live here.
   * @param {any} from
   * @param {any} to
   * @param {any} message
   * @param {any} [options] `offline`: 'queue' when it shall wait for a lost host
   */
  send(from, to, message, options) {
    let send;
    try {
      const waits = this.waitsOffline(options);
      this.outbound.checkId('to', to);
      // It may live on a host that is lost.
      if (!this.mayKnow(to) && !(waits && this.members.size > 0)) throw peerNotFound(to);
      if (this.guarded) this.checkGuard(to);
      // Made before: what was handed over must have its place, whatever the program's class does.
      send = pend(this.Promise);
      this.outbound.send(from, to, message, waits);
    } catch (err) {
      this.counters.refuse(err);
      return this.Promise.reject(coded(err));
    }
    this.sends.push(send, to);
    return promiseOf(send);
  }

  /** @param {any} id of a peer that lives here now */
  created(id) {
    if (this.native !== null) this.outbound.change(CREATED, id);
    if (this.notes.watches.busy) this.notes.watches.changed(id, true);
  }

  /** @param {any} id of a peer that does not live here any more */
  removed(id) {
    if (this.native !== null) this.outbound.change(REMOVED, isCarried(id) ? id : String(id));
    if (this.notes.watches.busy) this.notes.watches.changed(id, false);
  }

  /** @returns {string[]} the ids of the hosts of this version that are connected */
  hostIds() {
    return [...this.hosts.keys()];
  }

  /** This host's id. */
  get id() {
    return this.native === null ? '' : this.native.id;
  }

  /**
   * @param {string} name
   * @returns {number | undefined} the option as it stands, when it is a number
   */
  option(name) {
    return numberOption(this.host, name);
  }

  /** In ms. */
  get requestTimeout() {
    return this.option('requestTimeout') ?? 60000;
  }

  /**
   * Publishes to the other hosts.
   * @param {any} channel
   * @param {any} message
   * @returns {boolean} false when it is better to wait for 'drain' before publishing more
   */
  publish(channel, message) {
    if (this.draining !== null) return false;
    if (typeof channel === 'symbol') return true; // no other host can name it
    // Who is lost and just being dialled has neither a connection nor a timer.
    if (this.links === 0 && this.members.size === 0) return true;
    try {
      this.outbound.publish(channel, message);
    } catch (err) {
      this.trouble.tell(/** @type {Error} */ (err));
    }
    return !this.pressed;
  }

  // How much may wait.

  /** Applies options that are obeyed here. */
  configure() {
    const maxPayload = this.option('maxPayload');
    const maxIdLength = this.option('maxIdLength');
    if (maxPayload !== undefined) this.outbound.setMaxPayload(maxPayload);
    if (maxIdLength !== undefined) this.outbound.maxIdLength = maxIdLength;
    this.native?.configure(nativeOptions(this.host));
  }

  /** Read for every send, and so not by `lookUp`, for which each name is a new one. */
  #offline() {
    try {
      return this.host.options.offline;
    } catch {
      return undefined;
    }
  }

  /** @param {any} options of a send */
  waitsOffline(options) {
    const offline = options?.offline ?? this.#offline();
    if (offline === undefined) return false;
    checkOffline(offline);
    return offline === 'queue';
  }

  press() {
    this.pressed = this.guarded = true;
  }

  /** Not much waits for any host any more. */
  relieved() {
    const { pressed } = this;
    this.pressed = false;
    this.guarded = this.draining !== null;
    if (pressed) this.events.emit('drain');
  }

  /** @param {any} draining */
  setDraining(draining) {
    this.draining = draining;
    this.guarded = true;
  }

  /** Throws when nothing new may begin. */
  checkDraining() {
    if (this.draining !== null) throw hostDraining();
  }

  /**
   * Throws when nothing may be sent to that peer now.
   * @param {any} to
   */
  checkGuard(to) {
    this.checkDraining();
    // The answer is good until more is handed over.
    if (this.askedAt !== this.handed || this.askedFor !== to) {
      this.refused = this.native !== null && this.native.refuses(serializeId(to) || null);
      this.askedFor = to;
      this.askedAt = this.handed;
    }
    if (this.refused) throw overloaded(to);
  }

  /** @returns {import('./stats.js').Stats} */
  stats() {
    return this.counters.read(this.native === null ? null : JSON.parse(this.native.stats()), this.sends.next);
  }

  /** @param {any} url */
  setUrl(url) {
    this.url = url;
    this.native?.setUrl(typeof url === 'string' ? url : null);
  }

  /** @param {any} id */
  setNetworkId(id) {
    const text = serialize(id) || null;
    this.networkId = id;
    this.native?.setNetworkId(text);
  }

  /** Stops listening, and ends the connections that came in that way. */
  closeServer() {
    this.listening = false;
    this.tell((native) => native.closeServer());
    this.rest();
  }

  /** @param {string} host that has left, or was given up */
  left(host) {
    this.notes.gone(host);
    this.requests.left(host);
  }

  /** @returns {string} what the debug log calls this host */
  name() {
    return typeof this.url === 'string' ? this.url : (this.native?.id ?? 'a closed host');
  }
}

module.exports = Core;
