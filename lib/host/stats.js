'use strict';

/** What becomes of a send or a request, and the codes of the errors that say so. */
const OUTCOMES = {
  delivered: [], // resolved with null
  replied: [], // a request that was answered
  threw: ['ERR_LISTENER_THREW', 'ERR_LISTENER', 'ERR_HANDLER'],
  noHandler: ['ERR_NO_HANDLER'],
  notFound: ['ERR_PEER_NOT_FOUND'],
  unreachable: ['ERR_PEER_UNREACHABLE'],
  overloaded: ['ERR_OVERLOADED'],
  tooLarge: ['ERR_MESSAGE_TOO_LARGE', 'ERR_ID_TOO_LONG'],
  notSerializable: ['ERR_MESSAGE_NOT_SERIALIZABLE'],
  notSupported: ['ERR_REQUEST_NOT_SUPPORTED'],
  unknown: ['ERR_DELIVERY_UNKNOWN'],
  timeout: ['ERR_REQUEST_TIMEOUT'],
  aborted: ['ABORT_ERR'],
  closed: ['ERR_HOST_CLOSED', 'ERR_HOST_DRAINING']
};

/** @type {Map<string, string>} */
const OUTCOME_OF = new Map(Object.entries(OUTCOMES).flatMap(([name, codes]) => codes.map((code) => [code, name])));

/**
 * What a host has done. Messages between peers of one host are not counted: they cost less than counting them would.
 * `sent` is the sum of all `outcomes` and of what is `pending`.
 * @typedef {object} Stats
 * @property {number} sent
 * @property {number} received
 * @property {number} published
 * @property {number} heard
 * @property {Record<string, number>} outcomes
 * @property {number} pending
 * @property {number} dropped
 * @property {number} gaps
 * @property {number} reconnects
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number} undelivered
 * @property {Record<string, any>} links
 */

/** What the native host counts, before it has done anything. */
const NOTHING = {
  received: 0,
  published: 0,
  heard: 0,
  dropped: 0,
  gaps: 0,
  reconnects: 0,
  bytesIn: 0,
  bytesOut: 0,
  undelivered: 0,
  links: {}
};

/**
 * Counts sends and requests to peers of other hosts, and how they end, where their promises are settled: so what is counted is what
 * the program sees. A send costs nothing here: the numbers of the ring of sends count it.
 */
class Counters {
  constructor() {
    /** @type {Record<string, number>} */
    this.outcomes = Object.fromEntries(Object.keys(OUTCOMES).map((name) => [name, 0]));
    /** Sends and requests that were refused before they were numbered. */
    this.refused = 0;
    /** What was numbered, in earlier lives of the native host. */
    this.numbered = 0;
    /** Notes, which are numbered like sends, and how many of them have been taken. */
    this.notes = 0;
    this.notesTaken = 0;
    /** Jobs of groups that nobody has taken, in this life of the native host. */
    this.jobsDropped = 0;
    /** What earlier lives of the native host have counted. @type {Record<string, any>} */
    this.before = NOTHING;
  }

  /** @param {any} err that ends a send or a request */
  failed(err) {
    const name = OUTCOME_OF.get(codeOf(err));
    if (name === undefined) return false;
    this.outcomes[name]++;
    return true;
  }

  /**
   * It was refused at once. A bad argument is no send.
   * @param {any} err
   */
  refuse(err) {
    if (this.failed(err)) this.refused++;
  }

  /**
   * @param {Record<string, any> | null} native what the native host has counted in its present life
   * @param {number} numbered how much it has been given
   * @returns {Stats}
   */
  read(native, numbered) {
    /** @type {Record<string, any>} */
    const now = { ...(native ?? NOTHING) };
    for (const name of Object.keys(now)) {
      if (typeof now[name] === 'number' && name !== 'undelivered') now[name] += this.before[name];
    }
    now.dropped += this.jobsDropped;
    const outcomes = { ...this.outcomes, delivered: this.outcomes.delivered - this.notesTaken };
    const sent = this.refused + this.numbered + numbered - this.notes;
    const settled = Object.values(outcomes).reduce((a, b) => a + b);
    const { received, published, heard, ...others } = now;
    return /** @type {any} */ ({ sent, received, published, heard, outcomes, pending: sent - settled, ...others });
  }

  /**
   * A life of the native host ends.
   * @param {Record<string, any>} native
   * @param {number} numbered
   */
  endLife(native, numbered) {
    this.before = { ...this.read(native, 0), undelivered: 0, links: {} };
    this.jobsDropped = 0;
    this.numbered += numbered;
  }
}

/** @param {any} err anything */
function codeOf(err) {
  try {
    return err.code;
  } catch {
    return undefined;
  }
}

module.exports = Counters;
