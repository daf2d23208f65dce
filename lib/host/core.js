'use strict';

const { coded, peerNotFound } = require('../common/errors.js');
const { pend, promiseOf } = require('../common/pending.js');
const { CHANGES, LINES } = require('../crossing/contract.js');
const Exchange = require('../crossing/exchange.js');
const { Outbound, isCarried, serialize } = require('../crossing/outbound.js');
const Subscriptions = require('../channels/subscriptions.js');
const Notes = require('../notes/notes.js');
const { Requests } = require('../peer/requests.js');
const Residents = require('../peer/residents.js');
const Calls = require('./calls.js');
const Dials = require('./dials.js');
const Events = require('./events.js');
const Guard = require('./guard.js');
const keepAlive = require('./keepalive.js');
const { CREATED, Life, begin, end } = require('./life.js');
const Members = require('./members.js');
const Mirror = require('./mirror.js');
const { nativeOptions } = require('./options.js');
const Sends = require('./sends.js');
const Settings = require('./settings.js');
const Counters = require('./stats.js');
const Trouble = require('./trouble.js');

const REMOVED = LINES.PEERS + CHANGES.LESS;

/**
 * The private side of a host: it talks to the native host.
 * The native host is made when the host first listens or joins, so that a host that does neither costs nothing.
 * Only lib/host knows all of it. Each other part gets what it says that it needs.
 */
class Core {
  /** @param {any} host */
  constructor(host) {
    this.host = host;
    this.listening = false;
    this.url = undefined;
    this.networkId = undefined;
    this.life = new Life();
    this.settings = new Settings(host);
    this.guard = new Guard(this.life);
    this.counters = new Counters();
    this.trouble = new Trouble(() => this.events);
    this.events = new Events(host, (what, err, event) => this.trouble.threw(what, err, event === 'error'));
    this.members = new Members(this.events, () => this.name());
    this.sends = new Sends(this.counters, this.trouble);
    this.calls = new Calls(this.trouble);
    this.dials = new Dials(host, this.trouble);
    this.subscriptions = new Subscriptions((change, name) => {
      if (this.life.native !== null) this.outbound.change(change, name);
    });
    this.outbound = new Outbound((text, beside, more) => {
      if (this.life.native?.flush(text, beside, more)) this.guard.press();
      this.guard.handed++;
    });
    this.residents = new Residents(host, this.trouble);
    const { calls, counters, dials, events, guard, life, members, outbound, residents, sends, settings, trouble } =
      this;
    this.mirror = new Mirror({
      host,
      trouble,
      life,
      members,
      tell: (tell) => this.tell(tell),
      connected: (id) => this.notes.connected(id),
      disconnected: (id) => this.notes.disconnected(id)
    });
    const { mirror, subscriptions } = this;
    const home = { counters, guard, life, network: mirror, outbound, residents, sends, settings, trouble };
    this.requests = new Requests({ ...home, rest: () => this.rest() });
    this.notes = new Notes({ ...home, members });
    const { notes, requests } = this;
    /** What peers ask of their host. @type {import('../peer/owner.js').Owner} */
    this.owner = { broadcasts: notes.broadcasts, requests };
    /** What the native host's events are for. @type {import('../crossing/inbound.js').Parts} */
    this.parts = {
      ...{ calls, dials, events, members, mirror, notes, requests, residents, sends, subscriptions, trouble },
      relieved: () => this.relieved(),
      left: (id) => this.left(id)
    };
    this.exchange = new Exchange({ guard, life, outbound, parts: this.parts, rest: () => this.rest() });
  }

  // The native host.

  /** @returns {import('../crossing/contract.js').Carrier} */
  start() {
    return this.life.native ?? begin(this);
  }

  /** Ends the native host. */
  stop() {
    end(this);
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
    this.life.native?.writeNow();
  }

  /** Whether the program has to be told of something that the network does. */
  isBusy() {
    // A lost host that is just being dialled has neither a connection nor a timer; whether it is a member or not, it is looked for.
    return (
      this.listening ||
      this.mirror.links > 0 ||
      this.mirror.timers > 0 ||
      this.members.size > 0 ||
      this.calls.size > 0 ||
      this.sends.size > 0 ||
      this.requests.waiting.size > 0 ||
      (this.life.native !== null && this.life.native.isSeeking())
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
    const promise = this.calls.begin(this.settings.Promise, (call) => begin(native, call), end);
    this.rest();
    return promise;
  }

  /**
   * Tells the native host something, after what was collected before.
   * @param {(native: import('../crossing/contract.js').Carrier) => void} tell
   */
  tell(tell) {
    this.flush();
    if (this.life.native !== null) tell(this.life.native);
  }

  // What programs ask for.

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
      const waits = this.settings.waitsOffline(options);
      this.outbound.checkId('to', to);
      // It may live on a host that is lost.
      if (!this.mirror.mayKnow(to) && !(waits && this.members.size > 0)) throw peerNotFound(to);
      if (this.guard.guarded) this.guard.check(to);
      // Made before: what was handed over must have its place, whatever the program's class does.
      send = pend(this.settings.Promise);
      this.outbound.send(from, to, message, waits);
    } catch (err) {
      this.counters.refuse(err);
      return this.settings.Promise.reject(coded(err));
    }
    this.sends.push(send, to);
    return promiseOf(send);
  }

  /** @param {any} id of a peer that lives here now */
  created(id) {
    this.residents.created(id);
    if (this.life.native !== null) this.outbound.change(CREATED, id);
    if (this.notes.watches.busy) this.notes.watches.changed(id, true);
  }

  /** @param {any} id of a peer that does not live here any more */
  removed(id) {
    this.residents.removed(id);
    if (this.life.native !== null) this.outbound.change(REMOVED, isCarried(id) ? id : String(id));
    if (this.notes.watches.busy) this.notes.watches.changed(id, false);
  }

  /**
   * Publishes to the other hosts.
   * @param {any} channel
   * @param {any} message
   * @returns {boolean} false when it is better to wait for 'drain' before publishing more
   */
  publish(channel, message) {
    if (this.guard.draining !== null) return false;
    if (typeof channel === 'symbol') return true; // no other host can name it
    // Who is lost and just being dialled has neither a connection nor a timer.
    if (this.mirror.links === 0 && this.members.size === 0) return true;
    try {
      this.outbound.publish(channel, message);
    } catch (err) {
      this.trouble.tell(/** @type {Error} */ (err));
    }
    return !this.guard.pressed;
  }

  // How much may wait.

  /** Applies options that are obeyed here. */
  configure() {
    const maxPayload = this.settings.option('maxPayload');
    const maxIdLength = this.settings.option('maxIdLength');
    if (maxPayload !== undefined) this.outbound.setMaxPayload(maxPayload);
    if (maxIdLength !== undefined) this.outbound.maxIdLength = maxIdLength;
    this.outbound.setRoom(
      this.settings.option('maxQueueBytes') ?? Infinity,
      this.settings.option('maxInFlight') ?? Infinity
    );
    this.life.native?.configure(nativeOptions(this.host));
  }

  /** Not much waits for any host any more, unless much was handed over since: when that is over it is told again. */
  relieved() {
    if (this.guard.pressed && this.life.native?.isPressed()) return;
    if (this.guard.relieve()) this.events.emit('drain');
  }

  /** @returns {import('./stats.js').Stats} */
  stats() {
    return this.counters.read(this.life.native === null ? null : JSON.parse(this.life.native.stats()), this.sends.next);
  }

  /** @param {any} url */
  setUrl(url) {
    this.url = url;
    this.life.native?.setUrl(typeof url === 'string' ? url : null);
  }

  /** @param {any} id */
  setNetworkId(id) {
    const text = serialize(id) || null;
    this.networkId = id;
    this.life.native?.setNetworkId(text);
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
    return typeof this.url === 'string' ? this.url : (this.life.native?.id ?? 'a closed host');
  }
}

module.exports = Core;
