'use strict';

const { matches } = require('../channels/matching.js');
const { isPattern } = require('../channels/patterns.js');
const Firsts = require('../common/firsts.js');
const { nameOf } = require('../common/errors.js');
const { now } = require('../platform/index.js');
const { ANSWER, CHUNK, PART } = require('./telling.js');

/** So much may be asked for at a time: characters of patterns, and more for each of them. */
const MOST_ASKED = 1024 * 1024;
const EACH = 64;

/** So many parts are made ready to be said: more when those have been taken. */
const READY = 64;

/** Between two looks at the clock: so many peers. */
const FEW = 64;

/** @typedef {{number: number, pattern: string, walk: import('../peer/residents.js').Walk, part: any[], characters: number}} List that is being made */

/**
 * The lists of peers that one other host asks for. One is made at a time, in slices, and only as fast as the host takes it: a list may be
 * long, and the question for it is short. A source of its line.
 */
class Lists {
  #residents;
  #wake;
  #tell;
  /** The patterns, by the numbers of the questions. @type {Map<number, string>} */
  #asked = new Map();
  #first = new Firsts(this.#asked);
  #weight = 0;
  /** @type {List | null} */
  #list = null;
  /** @type {import('./telling.js').Told[]} */
  #ready = [];

  /**
   * @param {object} parts
   * @param {Pick<import('../peer/residents.js'), 'get' | 'visit' | 'walk'>} parts.residents
   * @param {(lists: Lists) => void} parts.wake is called when there is work
   * @param {(lists: Lists) => void} parts.tell is called when there is something to say
   */
  constructor({ residents, wake, tell }) {
    this.#residents = residents;
    this.#wake = wake;
    this.#tell = tell;
  }

  /**
   * @param {number} number of the question: it stays without an answer when too much is asked for
   * @param {string} pattern
   */
  ask(number, pattern) {
    const weight = EACH + pattern.length;
    if (this.#asked.has(number) || this.#weight + weight > MOST_ASKED) return;
    this.#asked.set(number, pattern);
    this.#weight += weight;
    this.#wake(this);
  }

  /** The host is not connected any more. */
  end() {
    this.#asked.clear();
    this.#list = null;
    this.#ready = [];
  }

  /**
   * Makes parts ready.
   * @param {number} until
   * @returns {boolean} whether there is more to do now
   */
  work(until) {
    let more = true;
    while (more && this.#ready.length < READY && (more = this.#step())) if (now() >= until) break;
    if (this.#ready.length > 0) this.#tell(this);
    return more && this.#ready.length < READY;
  }

  /** @returns {boolean} false when there is nothing to do */
  #step() {
    if (this.#list === null) return this.#begin();
    const { walk, pattern } = this.#list;
    for (let n = 0; n < FEW; n++) {
      if (!walk.next((id, _peer, told) => this.#add(pattern, id, told))) {
        this.#finish();
        break;
      }
    }
    return true;
  }

  /** @returns {boolean} whether one is asked for */
  #begin() {
    const first = this.#first.take();
    if (first === undefined) return false;
    const [number, pattern] = first;
    this.#weight -= EACH + pattern.length;
    const walk = isPattern(pattern) ? this.#residents.walk() : this.#walkOne(pattern);
    this.#list = { number, pattern, walk, part: [], characters: 0 };
    return true;
  }

  /**
   * @param {string} name
   * @returns {import('../peer/residents.js').Walk} past the one peer of that name, if it is there
   */
  #walkOne(name) {
    return {
      next: (visit) => {
        this.#residents.visit(this.#residents.get(name), visit);
        return false;
      }
    };
  }

  /**
   * @param {string} pattern
   * @param {any} id
   * @param {any} told
   */
  #add(pattern, id, told) {
    const { number, part, characters } = /** @type {List} */ (this.#list);
    if (isPattern(pattern) && !matches(pattern, nameOf(id))) return;
    const length = (JSON.stringify(told) ?? 'null').length + 1;
    if (characters + length > CHUNK && part.length > 0) {
      this.#ready.push({ head: PART + number, value: part });
      this.#list = { .../** @type {List} */ (this.#list), part: [told], characters: length };
    } else {
      part.push(told);
      /** @type {List} */ (this.#list).characters += length;
    }
  }

  #finish() {
    const { number, part } = /** @type {List} */ (this.#list);
    this.#list = null;
    // What is too large even alone is left out: the answer is said all the same.
    if (part.length > 0) this.#ready.push({ head: PART + number, value: part });
    this.#ready.push({ head: ANSWER + number, value: [] });
  }

  next() {
    if (this.#ready.length === READY) this.#wake(this);
    return this.#ready.shift();
  }
}

module.exports = Lists;
