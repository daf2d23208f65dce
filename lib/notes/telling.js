'use strict';

const { Note } = require('../common/pending.js');

/** The heads of an answer, and of a part of one that is a list: the rest of it follows. */
const ANSWER = 'a';
const PART = 'p';

/** So many notes may be in flight to one host; what is to be told beyond that waits as a state, not as a history. */
const MOST = 64;

/** About so many characters of JSON go into one note: it fits into the smallest message that a host may be set to accept. */
const CHUNK = 16 * 1024;

/**
 * @typedef {{head: string, value: any, taken?: () => void, failed?: (err: any) => void}} Told a note, and what to do when it is acknowledged
 * @typedef {{next: () => Told | undefined}} Source something that has to be told; it is asked for its next note when there is room for one
 */

/**
 * Tells one connected host how things are here. There is always room for what is told, however much else waits for that host, because it
 * is little: sources are asked in turn, and only for as much as may be in flight.
 */
class Line {
  #notes;
  #host;
  #flying = 0;
  /** @type {Set<Source>} */
  #sources = new Set();
  #ended = false;

  /**
   * @param {import('./notes.js')} notes
   * @param {string} host
   */
  constructor(notes, host) {
    this.#notes = notes;
    this.#host = host;
  }

  /** @param {Source} source that has something to tell */
  tell(source) {
    this.#sources.add(source);
    this.#say();
  }

  /** The host is not connected any more: it is told anew over the next connection. */
  end() {
    this.#ended = true;
    this.#sources.clear();
  }

  #say() {
    while (this.#flying < MOST && !this.#ended) {
      const { value: source, done } = this.#sources.values().next();
      if (done) return;
      this.#sources.delete(source);
      const note = source.next();
      if (note === undefined) continue;
      this.#sources.add(source); // at the end: the others come first
      this.#flying++;
      this.#notes.state(
        this.#host,
        note.head,
        note.value,
        (counters) => new Telling(counters, this, source, note),
        (err) => this.failed(source, note, err)
      );
    }
  }

  /** @param {Told} note that has been taken */
  taken(note) {
    this.#flying--;
    if (this.#ended) return;
    note.taken?.();
    this.#say();
  }

  /**
   * @param {Source} source
   * @param {Told} note of the source, that was not taken
   * @param {any} err
   */
  failed(source, note, err) {
    this.#flying--;
    if (this.#ended) return;
    note.failed?.(err);
    this.tell(source); // it may have to tell that in another way
  }
}

/** A note of a line that is in flight. */
class Telling extends Note {
  /**
   * @param {import('../host/stats.js')} counters
   * @param {Line} line
   * @param {Source} source
   * @param {Told} note
   */
  constructor(counters, line, source, note) {
    super(counters);
    this.line = line;
    this.source = source;
    this.note = note;
  }

  taken() {
    this.line.taken(this.note);
  }

  /** @param {any} err */
  reject(err) {
    this.line.failed(this.source, this.note, err);
  }
}

/** What is to be told to one host in order, each made when there is room for it, as a source of its line. */
class Queue {
  /** @type {(() => Told | undefined)[]} */
  #waiting = [];
  #first = 0;

  get length() {
    return this.#waiting.length - this.#first;
  }

  /** @param {() => Told | undefined} make gives undefined when it need not be told any more */
  add(make) {
    this.#waiting.push(make);
  }

  next() {
    while (this.#first < this.#waiting.length) {
      const note = this.#waiting[this.#first++]();
      if (this.#first === this.#waiting.length) {
        this.#waiting = [];
        this.#first = 0;
      }
      if (note !== undefined) return note;
    }
    return undefined;
  }
}

/**
 * Takes as many of the first values out of a map as go into one note.
 * @template T
 * @param {Map<any, T>} waiting
 * @param {(value: T) => number} length about how many characters of JSON it takes
 * @returns {T[]} at least one, unless there is none
 */
function takeChunk(waiting, length) {
  const taken = [];
  let characters = 0;
  for (const [key, value] of waiting) {
    characters += length(value);
    if (characters > CHUNK && taken.length > 0) break;
    taken.push(value);
    waiting.delete(key);
  }
  return taken;
}

/**
 * The same for an array.
 * @template T
 * @param {T[]} waiting
 * @param {(value: T) => number} length
 * @returns {T[]}
 */
function takeFrom(waiting, length) {
  let count = 0;
  let characters = 0;
  for (const value of waiting) {
    characters += length(value);
    if (characters > CHUNK && count > 0) break;
    count++;
  }
  return waiting.splice(0, count);
}

/** So many peers may one other host tell of, for one watch or one list; a longer id counts more than once. */
const MOST_TOLD = 1024 * 1024;

/** What another host has here counts once more for each so many characters of its name. */
const LENGTH = 64;

/** @param {number} length of a name in characters */
function weightOf(length) {
  return 1 + Math.floor(length / LENGTH);
}

module.exports = { ANSWER, CHUNK, Line, MOST_TOLD, PART, Queue, takeChunk, takeFrom, weightOf };
