'use strict';

const { KIND } = require('./member.js');

/** Reads a number of a record. @param {Buffer} bytes @param {number} at @returns {[number, number]} it, and where it ends */
function number(bytes, at) {
  let value = 0;
  for (let shift = 1; ; shift *= 128, at++) {
    value += (bytes[at] & 127) * shift;
    if (bytes[at] < 128) return [value, at + 1];
  }
}

/** What a member hears: up to where it was acknowledged, how many exceptions there were, and the heads of notes. */
function heard(member) {
  const all = { acknowledged: 0, exceptions: 0, notes: /** @type {string[]} */ ([]) };
  member.socket.on('message', (data, isBinary) => {
    for (let at = 1; isBinary && at < data.length;) {
      const kind = data[at];
      const [length, start] = number(data, at + 1);
      at = start + length;
      const [first, next] = number(data, start);
      if (kind === KIND.ACK) {
        all.acknowledged = Math.max(all.acknowledged, first);
        if (number(data, next)[1] < at) all.exceptions++;
      } else if (kind === KIND.NOTE) {
        const [size, head] = number(data, next);
        all.notes.push(JSON.parse(String(data.subarray(head, head + size))));
      }
    }
  });
  return all;
}

module.exports = heard;
