'use strict';

const Deadlines = require('../common/deadlines.js');
const {
  abortError,
  coded,
  deliveryUnknown,
  handlerThrew,
  hostClosed,
  noHandler,
  peerNotFound,
  textOf,
  timedOut
} = require('../common/errors.js');
const { checkRequestOptions } = require('../common/validate.js');
const { OUTCOMES } = require('../crossing/contract.js');
const { Fields } = require('./fields.js');
const { Abort, Request } = require('./request.js');

const { ANSWERED, NO_HANDLER, THREW } = OUTCOMES;

/**
 * What requests need of their host.
 * @typedef {object} Home
 * @property {Pick<import('../host/settings.js'), 'Promise' | 'requestTimeout'>} settings
 * @property {{readonly native: object | null}} life
 * @property {Pick<import('../host/guard.js'), 'guarded' | 'check'>} guard
 * @property {Pick<import('../host/mirror.js'), 'mayKnow'>} network
 * @property {Pick<import('./residents.js'), 'get'>} residents
 * @property {Pick<import('../crossing/outbound.js').Outbound, 'checkId' | 'request' | 'reply'>} outbound
 * @property {Pick<import('../host/sends.js'), 'next' | 'push' | 'take'>} sends
 * @property {import('../host/stats.js')} counters
 * @property {Pick<import('../host/trouble.js'), 'threw'>} trouble
 * @property {() => void} rest lets the process end, or not, as it is to now
 */

/**
 * So many requests of other hosts may wait for their replies. One host may have no more of them than are left of this when all are counted
 * that wait: so there is always room for others.
 */
const MOST_SERVED = 96 * 1024;

/** The requests of a host's peers, and its replies to those of others. */
class Requests {
  /** @param {Home} home */
  constructor(home) {
    this.home = home;
    /** @type {Deadlines<Request>} */
    this.waiting = new Deadlines((request) => request.fail(timedOut()));
    /** @type {Map<number, Request>} those of them that another host replies to */
    this.numbered = new Map();
    /** How many requests of other hosts peers here have not replied to, by the hosts. @type {Map<string, {count: number}>} */
    this.serving = new Map();
    /** How many there are in all, also of hosts that have gone. */
    this.pending = 0;
    /** @type {Array<() => void>} */
    this.onAnswered = [];
    /** @type {Array<() => void>} */
    this.onServed = [];
  }

  /** @param {Request} request */
  begin(request) {
    this.waiting.add(request);
    if (request.number !== undefined) this.numbered.set(request.number, request);
    if (this.waiting.size === 1) this.home.rest();
    const { abort } = request;
    if (abort === undefined) return;
    abort.request = request;
    // It may have been aborted by the handler, which has just been called.
    if (abort.isDue()) request.fail(abortError(abort.signal));
  }

  /**
   * @param {Request} request
   * @returns {boolean} whether it waited until now
   */
  end(request) {
    if (!this.waiting.delete(request)) return false;
    if (request.number !== undefined && this.numbered.delete(request.number) && this.numbered.size === 0) {
      for (const resolve of this.onAnswered.splice(0)) resolve();
    }
    request.abort?.end();
    if (this.waiting.size === 0) this.home.rest();
    return true;
  }

  /**
   * @param {any} from
   * @param {any} to
   * @param {any} message
   * @param {any} [options] `timeout`, `signal`
   */
  request(from, to, message, options) {
    const { home } = this;
    /** @type {Abort | undefined} */
    let abort;
    let local = false;
    try {
      const { timeout = home.settings.requestTimeout, signal } = checkRequestOptions(options);
      const peer = home.residents.get(to);
      local = peer !== undefined;
      if (signal !== undefined && signal.aborted) throw abortError(signal);
      if (local) {
        if (signal !== undefined) abort = new Abort(signal);
        return this.ask(peer, from, to, message, timeout, abort);
      }
      home.outbound.checkId('to', to);
      if (!home.network.mayKnow(to)) throw peerNotFound(to);
      if (home.guard.guarded) home.guard.check(to);
      if (signal !== undefined) abort = new Abort(signal);
      const request = new Request(this, to, timeout, abort);
      home.outbound.request(from, to, message);
      // What was handed over has its place before anything of the program's is called again.
      request.number = home.sends.next;
      home.sends.push(request, to);
      this.begin(request);
      return request.promise;
    } catch (err) {
      abort?.end();
      if (!local) home.counters.refuse(err);
      return home.settings.Promise.reject(coded(err));
    }
  }

  /**
   * Asks a peer of this host.
   * @param {any} peer
   * @param {any} from
   * @param {any} to
   * @param {any} message
   * @param {number} timeout
   * @param {Abort | undefined} abort
   */
  ask(peer, from, to, message, timeout, abort) {
    const handler = Fields.handler(peer);
    if (handler === undefined) throw noHandler(to);
    const fail = (/** @type {any} */ err) => handlerThrew(textOf(err), err);
    let reply;
    try {
      reply = call(handler, from, message);
    } catch (err) {
      throw fail(err);
    }
    if (!(reply instanceof Promise)) {
      abort?.end();
      return this.home.settings.Promise.resolve(reply);
    }
    const request = new Request(this, to, timeout, abort);
    this.begin(request);
    void wait(
      reply,
      (value) => request.succeed(value),
      (err) => request.fail(fail(err))
    );
    return request.promise;
  }

  /** @returns {Promise<void>} resolves when no other host is asked for anything any more */
  answered() {
    if (this.numbered.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onAnswered.push(resolve);
    });
  }

  /** How many requests of other hosts are not replied to. */
  get unserved() {
    return [...this.serving.values()].reduce((sum, served) => sum + served.count, 0);
  }

  /** @returns {Promise<void>} resolves when no other host waits for a reply any more */
  served() {
    if (this.serving.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onServed.push(resolve);
    });
  }

  // What other hosts say.

  /**
   * Whether so many requests wait for their replies that this host gets no more answered.
   * @param {string} host that asks
   */
  isFull(host) {
    // It has not more than there are: most are answered at once, and nothing has to be looked up.
    return 2 * this.pending >= MOST_SERVED && this.pending + (this.serving.get(host)?.count ?? 0) >= MOST_SERVED;
  }

  /**
   * Another host asks a peer of this one.
   * @param {any} peer
   * @param {any} id
   * @param {any} from
   * @param {any} message
   * @param {string} host
   * @param {number} number
   */
  serve(peer, id, from, message, host, number) {
    const { native } = this.home.life;
    const handler = Fields.handler(peer);
    if (handler === undefined) {
      this.reply(native, id, host, number, NO_HANDLER, undefined);
      return;
    }
    let reply;
    try {
      reply = call(handler, from, message);
    } catch (err) {
      this.reply(native, id, host, number, THREW, textOf(err));
      return;
    }
    if (reply instanceof Promise) void this.#serveLater(reply, native, id, host, number);
    else this.reply(native, id, host, number, ANSWERED, reply);
  }

  /**
   * What a handler promises may take for ever: no more is kept of it than must be.
   * @param {Promise<any>} promise
   * @param {any} native
   * @param {any} id
   * @param {string} host
   * @param {number} number
   */
  async #serveLater(promise, native, id, host, number) {
    let served = this.serving.get(host);
    if (served === undefined) this.serving.set(host, (served = { count: 0 }));
    served.count++;
    this.pending++;
    let outcome = ANSWERED;
    let value;
    try {
      value = await promise;
    } catch (err) {
      outcome = THREW;
      value = textOf(err);
    }
    try {
      this.reply(native, id, host, number, outcome, value);
    } finally {
      this.pending--;
      if (--served.count === 0 && this.serving.get(host) === served) this.left(host);
    }
  }

  /**
   * @param {any} native the native host that was asked: when it has ended, nobody waits any more
   * @param {any} id
   * @param {string} host
   * @param {number} number
   * @param {number} outcome
   * @param {any} value
   */
  reply(native, id, host, number, outcome, value) {
    const { home } = this;
    if (home.life.native !== native) return;
    try {
      home.outbound.reply(host, number, outcome, value);
    } catch (err) {
      home.outbound.reply(host, number, THREW, textOf(err));
      home.trouble.threw(`The reply of peer ${textOf(id)} cannot be sent`, err);
    }
  }

  /**
   * @param {number} number
   * @param {number} outcome
   * @param {any} value
   */
  replied(number, outcome, value) {
    const request = this.numbered.get(number);
    if (request === undefined) return; // too late
    if (outcome === ANSWERED) request.succeed(value);
    else if (outcome === NO_HANDLER) request.fail(noHandler(request.to));
    else request.fail(handlerThrew(textOf(value)));
  }

  /**
   * A host has given requests to their peer.
   * @param {number} first
   * @param {number} count
   * @param {string} host
   */
  accepted(first, count, host) {
    for (let number = first; number < first + count; number++) {
      this.home.sends.take(number);
      const request = this.numbered.get(number);
      if (request !== undefined) request.host = host;
    }
  }

  /**
   * What that host has accepted will not be answered any more.
   * @param {string} host
   */
  gone(host) {
    for (const request of [...this.numbered.values()]) {
      if (request.host === host) request.fail(deliveryUnknown(request.to));
    }
  }

  /** @param {string} host that will not come back: it learns no reply any more */
  left(host) {
    this.serving.delete(host);
    if (this.serving.size === 0) for (const resolve of this.onServed.splice(0)) resolve();
  }

  /** The host is closed. */
  close() {
    for (const request of this.waiting.all()) request.fail(hostClosed());
    for (const host of this.serving.keys()) this.left(host);
  }
}

/**
 * @param {import('./fields.js').Listener} handler
 * @param {any} from
 * @param {any} message
 * @returns {any} what it returns; a promise of Node.js when that is any promise
 */
function call(handler, from, message) {
  const reply = handler(from, message);
  const waits =
    reply !== null && (typeof reply === 'object' || typeof reply === 'function') && typeof reply.then === 'function';
  return waits ? Promise.resolve(reply) : reply;
}

/**
 * Unlike `then`, `await` asks nothing of a promise that programs can change.
 * @param {Promise<any>} reply
 * @param {(value: any) => void} succeed
 * @param {(err: any) => void} fail
 */
async function wait(reply, succeed, fail) {
  let value;
  try {
    value = await reply;
  } catch (err) {
    fail(err);
    return;
  }
  succeed(value);
}

module.exports = { Requests };
