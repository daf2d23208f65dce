'use strict';

const Firsts = require('../common/firsts.js');
const { nameOf } = require('../common/errors.js');
const { isPattern } = require('../channels/patterns.js');
const { matches } = require('../channels/matching.js');
const { Prefixes, prefixOf } = require('../channels/prefixes.js');
const { now } = require('../platform/index.js');
const { takeFrom, weightOf } = require('./telling.js');

/** The head of what is told of peers. */
const CHANGES = 'c';

/** So many changes are made ready to be told: more when those have been taken. */
const READY = 4096;

/** Between two looks at the clock: so many peers, or so many watches. */
const FEW = 64;

/** One watch. */
class Record {
  /**
   * @param {number} number
   * @param {string} pattern
   * @param {number} since the number of the last change before it
   */
  constructor(number, pattern, since) {
    this.number = number;
    this.pattern = pattern;
    this.since = since;
  }
}

/**
 * @typedef {{name: string, told: any, known: boolean, here: boolean, seq: number}} Change `known`: whether the host believes that the
 * peer is there; `here`: whether it is; `seq` numbers the last change
 *
 * @typedef {{name: string, tell: any[][], before: number, sets: (Record | Set<Record>)[], left: Iterator<Record> | null}} Search for the
 * watches that a change concerns: those that had begun before it
 *
 * @typedef {{index: Prefixes<Record>, walk: import('../peer/residents.js').Walk, gone: Set<string>}} Pass over all peers, for watches that
 * begin; with those that have gone since it began
 */

/**
 * What one other host watches here. A change of a peer is noted once, however many watches there are; which of them it concerns is found
 * in slices, and only as fast as the host takes what it is told. A source of its line.
 */
class Served {
  #residents;
  #wake;
  #tell;
  #shared;
  /** @type {Map<number, Record>} */
  #records = new Map();
  #weight = 0;
  /** @type {Prefixes<Record>} */
  #index = new Prefixes();
  /** Peers that have changed, by their names. @type {Map<string, Change>} */
  #changed = new Map();
  #first = new Firsts(this.#changed);
  /** When the last watch began. */
  #begun = 0;
  /** Watches that have not been told who is there: those of names, and those of patterns. @type {Set<Record>} */
  #names = new Set();
  /** @type {Prefixes<Record> | null} */
  #patterns = null;
  /** @type {Pass | null} */
  #pass = null;
  /** @type {Search | null} */
  #search = null;
  /** What is ready to be told, by the numbers of watches. @type {Map<number, any[][]>} */
  #ready = new Map();
  #count = 0;
  /** How many of the first ones of these are told one by one. @type {Map<number, number>} */
  #alone = new Map();

  /**
   * @param {object} parts
   * @param {Pick<import('../peer/residents.js'), 'get' | 'visit' | 'walk'>} parts.residents
   * @param {Prefixes<Served>} parts.shared who wants to know of which peers
   * @param {(served: Served) => void} parts.wake is called when there is work
   * @param {(served: Served) => void} parts.tell is called when there is something to tell
   */
  constructor({ residents, shared, wake, tell }) {
    this.#residents = residents;
    this.#shared = shared;
    this.#wake = wake;
    this.#tell = tell;
  }

  /** What its watches count. */
  get weight() {
    return this.#weight;
  }

  /**
   * @param {number} number
   * @param {string} pattern
   * @param {number} since the number of the last change
   */
  watch(number, pattern, since) {
    this.unwatch(number);
    const record = new Record(number, pattern, since);
    this.#records.set(number, record);
    this.#weight += weightOf(pattern.length);
    const key = prefixOf(pattern);
    if (this.#index.add(key, record)) this.#shared.add(key, this);
    this.#begun = since;
    if (isPattern(pattern)) (this.#patterns ??= new Prefixes()).add(key, record);
    else this.#names.add(record);
    this.#wake(this);
  }

  /** @param {number} number */
  unwatch(number) {
    const record = this.#records.get(number);
    if (record === undefined) return;
    this.#records.delete(number);
    this.#weight -= weightOf(record.pattern.length);
    const key = prefixOf(record.pattern);
    if (this.#index.delete(key, record)) this.#shared.delete(key, this);
    this.#names.delete(record);
    this.#patterns?.delete(key, record);
    this.#pass?.index.delete(key, record);
    this.#count -= this.#ready.get(number)?.length ?? 0;
    this.#ready.delete(number);
    this.#alone.delete(number);
  }

  /** The host is not connected any more. */
  end() {
    for (const key of this.#index.keys()) this.#shared.delete(key, this);
    this.#records.clear();
    this.#index = new Prefixes();
    this.#changed.clear();
    this.#names.clear();
    this.#patterns = this.#pass = this.#search = null;
    this.#ready.clear();
    this.#alone.clear();
    this.#count = 0;
  }

  /**
   * @param {string} name of a peer that lives here now, or not any more
   * @param {any} told its id as it is told
   * @param {boolean} here
   * @param {number} seq the number of this change
   */
  changed(name, told, here, seq) {
    if (here) this.#pass?.gone.delete(name);
    else this.#pass?.gone.add(name);
    const change = this.#changed.get(name);
    if (change === undefined) {
      this.#changed.set(name, { name, told, known: !here, here, seq });
    } else {
      // A watch that has begun meanwhile may have been told of it.
      const known = change.known || change.seq <= this.#begun;
      // Who has come and gone before anything was told of it is not told of at all.
      if (!here && !known) this.#changed.delete(name);
      else Object.assign(change, { told, known, here, seq });
    }
    this.#wake(this);
  }

  /**
   * Makes ready what there is to tell.
   * @param {number} until
   * @returns {boolean} whether there is more to do now
   */
  work(until) {
    let more = true;
    while (more && this.#count < READY && (more = this.#step())) if (now() >= until) break;
    if (this.#count > 0) this.#tell(this);
    return more && this.#count < READY;
  }

  /** @returns {boolean} false when there is nothing to do */
  #step() {
    if (this.#search !== null) {
      this.#find(this.#search);
      return true;
    }
    const first = this.#first.take();
    if (first !== undefined) {
      const [name, { told, known, here, seq }] = first;
      // Who was there and is there again has been away.
      const tell = known && here ? [[0, told], [1, told]] : [[here ? 1 : 0, told]]; // prettier-ignore
      this.#begin({ name, tell, before: seq, sets: this.#index.find(name), left: null });
      return true;
    }
    return this.#pass === null ? this.#welcome() : this.#walk(this.#pass);
  }

  /** @param {Search} search */
  #begin(search) {
    this.#search = search;
    this.#find(search);
  }

  /**
   * Goes on until it has looked at a few watches.
   * @param {Search} search
   */
  #find(search) {
    const { name, tell, before, sets } = search;
    for (let n = 0; n < FEW; n++) {
      if (search.left === null) {
        const set = sets.pop();
        if (set === undefined) {
          this.#search = null;
          return;
        }
        search.left = set instanceof Set ? set.values() : [set].values();
      }
      const { value: record, done } = search.left.next();
      if (done) search.left = null;
      else if (record.since < before && matches(record.pattern, name)) this.#make(record, tell);
    }
  }

  /**
   * Watches that begin are told who is there: those of names at once, those of patterns by a pass.
   * @returns {boolean} false when there are none
   */
  #welcome() {
    if (this.#names.size > 0) {
      let n = 0;
      for (const record of this.#names) {
        if (n++ === FEW) break;
        this.#names.delete(record);
        this.#residents.visit(this.#residents.get(record.pattern), (id, _peer, told) => {
          if (nameOf(id) === record.pattern) this.#make(record, [[1, told]]);
        });
      }
      return true;
    }
    if (this.#patterns === null) return false;
    this.#pass = { index: this.#patterns, walk: this.#residents.walk(), gone: new Set() };
    this.#patterns = null;
    return true;
  }

  /**
   * @param {Pass} pass
   * @returns {boolean} true
   */
  #walk({ index, walk, gone }) {
    for (let n = 0; n < FEW && this.#search === null; n++) {
      const more = walk.next((id, _peer, told) => {
        const name = nameOf(id);
        if (gone.has(name)) return;
        const sets = index.find(name);
        if (sets.length > 0) this.#begin({ name, tell: [[1, told]], before: Infinity, sets, left: null });
      });
      if (more) continue;
      this.#pass = null;
      break;
    }
    return true;
  }

  /**
   * @param {Record} record
   * @param {any[][]} changes
   */
  #make({ number }, changes) {
    const ready = this.#ready.get(number);
    if (ready === undefined) this.#ready.set(number, [...changes]);
    else ready.push(...changes);
    this.#count += changes.length;
  }

  next() {
    for (const [number, ready] of this.#ready) {
      const record = this.#records.get(number);
      const alone = this.#alone.get(number) ?? 0;
      const value = takeFrom(ready, (/** @type {any[]} */ [, id]) => (alone > 0 ? Infinity : nameOf(id).length + 8));
      if (ready.length === 0) this.#ready.delete(number);
      if (alone > 1) this.#alone.set(number, alone - 1);
      else if (alone === 1) this.#alone.delete(number);
      if (this.#count >= READY && this.#count - value.length < READY) this.#wake(this);
      this.#count -= value.length;
      const failed = (/** @type {any} */ err) => {
        if (record === undefined || this.#records.get(number) !== record) return;
        if (err.code === 'ERR_PEER_NOT_FOUND') this.unwatch(number);
        // What is too large even alone is an id that the host would not accept.
        else if (err.code === 'ERR_MESSAGE_TOO_LARGE' && value.length > 1) this.#again(number, value);
      };
      return { head: CHANGES + JSON.stringify([number]), value, failed };
    }
    return undefined;
  }

  /**
   * Tells each alone, before what has changed later.
   * @param {number} number
   * @param {any[][]} changes
   */
  #again(number, changes) {
    const later = this.#ready.get(number) ?? [];
    this.#ready.set(number, [...changes, ...later]);
    this.#alone.set(number, (this.#alone.get(number) ?? 0) + changes.length);
    this.#count += changes.length;
  }
}

module.exports = { CHANGES, Served };
