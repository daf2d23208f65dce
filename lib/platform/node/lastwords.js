'use strict';

const { isMainThread } = require('node:worker_threads');
const { setImmediate } = require('./time.js');

/**
 * What a program says before its process ends leaves: hosts hand over what they have collected when the process exits, and before it
 * kills itself. 0.4.0 wrote to its sockets inside `publish`.
 * @typedef {{lastWords: (urgent?: boolean) => void}} Speaker
 */

/** @type {Set<Speaker>} */
const speakers = new Set();

/** @param {boolean} [urgent] whether what is said from now on has to be handed over at once */
function speak(urgent) {
  for (const speaker of speakers) {
    try {
      speaker.lastWords(urgent);
    } catch {
      // The process has to end all the same.
    }
  }
}

/** Listeners that were added later run after ours, and may say more. */
function onExit() {
  speak(true);
  // Somebody may only have emitted the event. When the process really exits, there is no next turn.
  setImmediate(() => speak(false)).unref();
}

/**
 * Ways to end the process that emit no 'exit'. `process.kill` calls `_kill`, however it was imported; where there is none, it is
 * replaced itself.
 */
const WAYS = [
  typeof (/** @type {any} */ (process)._kill) === 'function' ? '_kill' : 'kill',
  ...(isMainThread ? ['abort'] : []) // workers cannot
];

/** What stands for these functions, and them. @type {Map<string, {ours: any, theirs: any}>} */
const replaced = new Map();

function watch() {
  process.on('exit', onExit);
  const there = /** @type {any} */ (process);
  for (const way of WAYS) {
    const theirs = there[way];
    if (typeof theirs !== 'function') continue;
    const ours = replaced.get(way)?.ours;
    if (ours !== undefined && theirs === ours) continue; // somebody else has put it back
    const proxy = new Proxy(theirs, {
      apply(target, self, args) {
        speak();
        return Reflect.apply(target, self, args);
      }
    });
    if (Reflect.set(there, way, proxy)) replaced.set(way, { ours: proxy, theirs });
  }
}

function unwatch() {
  process.removeListener('exit', onExit);
  const there = /** @type {any} */ (process);
  for (const [way, { ours, theirs }] of replaced) {
    // Who has put something else there may put ours back later: it does no harm.
    if (there[way] === ours && Reflect.set(there, way, theirs)) replaced.delete(way);
  }
}

/** @param {Speaker} speaker */
function listenTo(speaker) {
  if (speakers.size === 0) watch();
  speakers.add(speaker);
}

/** @param {Speaker} speaker */
function forget(speaker) {
  if (speakers.delete(speaker) && speakers.size === 0) unwatch();
}

module.exports = { listenTo, forget };
