'use strict';

/**
 * Wildcards: `.` separates segments, `*` is any run of characters within a segment (alone: any one segment), and a segment `**` is any
 * number of segments, none included. crates/mesh/src/parts/channels/ does the same for
 * other hosts' patterns, and says how; both are tested with the same vectors, as is matching.js, for a single pattern.
 */

/** @param {string} text */
function isPattern(text) {
  return text.includes('*');
}

/** A point that a sequence of elements can lead to. */
class Node {
  /** @param {boolean} isMany */
  constructor(isMany) {
    // Most nodes have at most one below them, and a map takes room and time.
    /** @type {any} */
    this.key = undefined;
    /** @type {Node | undefined} */
    this.only = undefined;
    /** @type {Map<any, Node> | null} */
    this.below = null;
    /** What stands for any number of any. @type {Node | null} */
    this.many = null;
    this.isMany = isMany;
    // As with what is below: mostly one.
    /** @type {any} */
    this.value = undefined;
    /** The others. @type {any[] | null} */
    this.values = null;
    // When it was reached last, see Trie.
    this.reached = 0;
    this.ended = 0;
  }

  /** @param {any} element */
  get(element) {
    if (this.below !== null) return this.below.get(element);
    return this.key === element ? this.only : undefined;
  }

  /**
   * @param {any} element that leads nowhere yet
   * @returns {Node} where it leads from now on
   */
  grow(element) {
    const node = new Node(false);
    if (this.below !== null) {
      this.below.set(element, node);
    } else if (this.only === undefined) {
      this.key = element;
      this.only = node;
    } else {
      this.below = new Map([
        [this.key, this.only],
        [element, node]
      ]);
      this.key = this.only = undefined;
    }
    return node;
  }

  /** @param {any} element that leads nowhere any more */
  cut(element) {
    if (this.below !== null) this.below.delete(element);
    else if (this.key === element) this.key = this.only = undefined;
  }

  /** Whether nothing leads on from here. */
  isLast() {
    return this.many === null && this.only === undefined && (this.below === null || this.below.size === 0);
  }

  isEmpty() {
    return this.value === undefined && this.isLast();
  }

  /** @param {any} value */
  add(value) {
    if (this.value === undefined) this.value = value;
    else (this.values ??= []).push(value);
  }

  /** @param {any} value */
  delete(value) {
    const { values } = this;
    if (this.value === value) {
      this.value = values?.shift();
    } else if (values !== null) {
      const index = values.indexOf(value);
      if (index !== -1) values.splice(index, 1);
    }
    if (values?.length === 0) this.values = null;
  }
}

/** Stands for any number of any in a path. */
const MANY = Symbol('many');

/** Values under sequences, and what a sequence of elements has reached so far. */
class Trie {
  root = new Node(false);
  /** The first ones of it: to shorten an array costs more than all the rest. @type {Node[]} */
  active = [];
  count = 0;
  /** @type {Node[]} */
  before = [];
  countBefore = 0;
  steps = 0;
  /** The first step of this search. */
  started = 0;
  /** Where whatever follows leads to. @type {Node[]} */
  ends = [];

  /**
   * @param {any[]} path
   * @param {any} value
   */
  add(path, value) {
    let node = this.root;
    for (const element of path) {
      if (element === MANY) {
        node = node.many ??= new Node(true);
      } else {
        node = node.get(element) ?? node.grow(element);
      }
    }
    node.add(value);
  }

  /**
   * @param {any[]} path
   * @param {any} value that was added
   */
  delete(path, value) {
    const way = [this.root];
    for (const element of path) {
      const node = way[way.length - 1];
      const next = element === MANY ? node.many : node.get(element);
      if (!next) return;
      way.push(next);
    }
    way[path.length].delete(value);
    for (let depth = path.length; depth > 0 && way[depth].isEmpty(); depth--) {
      if (path[depth - 1] === MANY) way[depth - 1].many = null;
      else way[depth - 1].cut(path[depth - 1]);
    }
  }

  start() {
    this.count = 0;
    this.steps++;
    this.ends = [];
    this.started = this.steps;
    this.reach(this.root);
  }

  /** Begins one more element, which `follow` says the names of. */
  step() {
    const before = this.active;
    this.active = this.before;
    this.before = before;
    this.countBefore = this.count;
    this.count = 0;
    this.steps++;
    for (let i = 0; i < this.countBefore; i++) if (before[i].isMany) this.reach(before[i]);
  }

  /** @param {any} element a name of the element that was begun last */
  follow(element) {
    const { before, countBefore } = this;
    for (let i = 0; i < countBefore; i++) {
      const next = before[i].get(element);
      if (next !== undefined) this.reach(next);
    }
  }

  /** @param {Node} node */
  reach(node) {
    for (let at = /** @type {Node | null} */ (node); at !== null && at.reached !== this.steps; at = at.many) {
      at.reached = this.steps;
      if (at.isMany && at.isLast()) {
        // Whatever comes, it leads here again.
        if (at.ended === this.started) continue;
        at.ended = this.started;
        this.ends.push(at);
      } else {
        this.active[this.count++] = at;
      }
    }
  }

  /** The values of what was reached last. */
  found() {
    /** @type {any[]} */
    const found = [];
    for (let i = 0; i < this.count; i++) collect(this.active[i], found);
    for (const node of this.ends) collect(node, found);
    return found;
  }
}

/**
 * @param {Node} node
 * @param {any[]} found
 */
function collect({ value, values }, found) {
  if (value === undefined) return;
  found.push(value);
  if (values !== null) for (const other of values) found.push(other);
}

/** Values under patterns. */
class Patterns {
  size = 0;
  #segments = new Trie();
  /** Segments with a `*` and something beside it, by their characters; how many patterns have them. */
  #globs = new Trie();
  /** @type {Map<string, number>} */
  #uses = new Map();

  /**
   * @param {string} pattern
   * @param {any} value
   */
  add(pattern, value) {
    const path = pathOf(pattern);
    this.#segments.add(path, value);
    this.size++;
    for (const segment of path) {
      if (!isGlob(segment)) continue;
      const uses = this.#uses.get(segment) ?? 0;
      this.#uses.set(segment, uses + 1);
      if (uses === 0) this.#globs.add(characters(segment), segment);
    }
  }

  /**
   * @param {string} pattern
   * @param {any} value that was added under it, once
   */
  delete(pattern, value) {
    const path = pathOf(pattern);
    this.#segments.delete(path, value);
    this.size--;
    for (const segment of path) {
      if (!isGlob(segment)) continue;
      const uses = /** @type {number} */ (this.#uses.get(segment)) - 1;
      if (uses > 0) {
        this.#uses.set(segment, uses);
      } else {
        this.#uses.delete(segment);
        this.#globs.delete(characters(segment), segment);
      }
    }
  }

  /**
   * @param {string} name
   * @returns {any[]} the values of all patterns that match
   */
  find(name) {
    const segments = this.#segments;
    segments.start();
    // Others choose how long a name is: as soon as nothing can follow, its rest is not looked at.
    for (let end = -1, from = 0; end < name.length && segments.count > 0; from = end + 1) {
      end = name.indexOf('.', from);
      if (end === -1) end = name.length;
      const segment = name.slice(from, end);
      segments.step();
      segments.follow('*');
      if (segment !== '*') segments.follow(segment);
      if (this.#uses.size > 0) {
        for (const glob of this.#matching(segment)) if (glob !== segment) segments.follow(glob);
      }
    }
    return segments.found();
  }

  /** @param {string} segment */
  #matching(segment) {
    const globs = this.#globs;
    globs.start();
    for (let i = 0; i < segment.length && globs.count > 0; i++) {
      globs.step();
      globs.follow(segment.charCodeAt(i));
    }
    return globs.found();
  }
}

/** @param {any} segment */
function isGlob(segment) {
  return segment !== MANY && segment.length > 1 && segment.includes('*');
}

/**
 * The segments of a pattern, without repetitions that mean nothing.
 * @param {string} pattern
 */
function pathOf(pattern) {
  /** @type {any[]} */
  const path = [];
  for (const segment of pattern.split('.')) {
    if (segment !== '**') path.push(segment.replace(/\*+/g, '*'));
    else if (path[path.length - 1] !== MANY) path.push(MANY);
  }
  return path;
}

/** @param {string} segment */
function characters(segment) {
  const path = [];
  for (let i = 0; i < segment.length; i++) path.push(segment[i] === '*' ? MANY : segment.charCodeAt(i));
  return path;
}

module.exports = { Patterns, isPattern };
