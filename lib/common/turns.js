'use strict';

const { setImmediate } = require('../platform/index.js');

/** @type {(() => void)[]} */
let waiting = [];
/** Emptied, to be used next. @type {(() => void)[]} */
let spare = [];
/** How many ends of turns will come. */
let coming = 0;

function arm() {
  coming++;
  setImmediate(end);
}

function end() {
  coming--;
  if (waiting.length === 0) return;
  const callbacks = waiting;
  waiting = spare;
  spare = callbacks;
  try {
    for (const callback of callbacks) callback();
  } finally {
    callbacks.length = 0;
  }
}

/**
 * Calls a function at the end of this turn: when whatever runs now, and what it has begun at once, has had its say.
 * @param {() => void} callback it does not throw
 */
function atEnd(callback) {
  waiting.push(callback);
  if (coming === 0) arm();
}

/**
 * Has a function called by itself soon. What is to be done at the end of that turn is done right after it: an immediate that is asked for
 * while others are called would cost another round of the event loop.
 * @param {() => void} callback
 */
function soon(callback) {
  setImmediate(callback);
  arm();
}

module.exports = { atEnd, soon };
