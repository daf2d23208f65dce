'use strict';

/**
 * Whether one name matches one pattern, as patterns.js says, without anything that has to be made before. It takes at most as many steps
 * as the product of both lengths.
 */

const STAR = 42;
const DOT = 46;

/**
 * @param {string} text
 * @param {number} start of a segment
 * @returns {number} where it ends
 */
function endOf(text, start) {
  const dot = text.indexOf('.', start);
  return dot === -1 ? text.length : dot;
}

/**
 * @param {string} pattern
 * @param {number} start of a segment
 */
function isMany(pattern, start) {
  return (
    pattern.charCodeAt(start) === STAR &&
    pattern.charCodeAt(start + 1) === STAR &&
    (start + 2 === pattern.length || pattern.charCodeAt(start + 2) === DOT)
  );
}

/**
 * Whether a segment of a name matches one of a pattern that is not `**`.
 * @param {string} pattern
 * @param {number} at where its segment begins
 * @param {number} end where it ends
 * @param {string} name
 * @param {number} next where its segment begins
 * @param {number} last where it ends
 */
function segmentMatches(pattern, at, end, name, next, last) {
  let star = -1; // after the last `*`
  let run = 0; // where what it stands for ends
  while (next < last) {
    const code = at < end ? pattern.charCodeAt(at) : -1;
    if (code === STAR) {
      star = ++at;
      run = next;
    } else if (code === name.charCodeAt(next)) {
      at++;
      next++;
    } else if (star !== -1) {
      at = star;
      next = ++run;
    } else {
      return false;
    }
  }
  while (at < end && pattern.charCodeAt(at) === STAR) at++;
  return at === end;
}

/**
 * @param {string} pattern
 * @param {string} name
 */
function matches(pattern, name) {
  let at = 0; // where the present segments begin: behind the end when there are no more
  let next = 0;
  let many = -1; // after the last `**`
  let run = 0; // where what it stands for ends
  for (;;) {
    const more = at <= pattern.length;
    if (more && isMany(pattern, at)) {
      many = at += 3;
      run = next;
      if (many > pattern.length) return true;
      continue;
    }
    if (next > name.length) return !more;
    if (more) {
      const end = endOf(pattern, at);
      const last = endOf(name, next);
      if (segmentMatches(pattern, at, end, name, next, last)) {
        at = end + 1;
        next = last + 1;
        continue;
      }
    }
    if (many === -1) return false;
    at = many;
    next = run = endOf(name, run) + 1;
  }
}

/**
 * @param {string} pattern
 * @returns {(name: string) => boolean} whether a name matches it
 */
function matcher(pattern) {
  return (name) => matches(pattern, name);
}

module.exports = { isMany, matcher, matches };
