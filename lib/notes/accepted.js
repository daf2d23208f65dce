'use strict';

const { isShort } = require('../common/ids.js');

/** What is accepted of the values of notes: the names in their heads were checked when they came in, before anything was read. */

/**
 * @param {any} list of ids, if it is one
 * @param {number} most characters
 * @returns {any} without those that are too long
 */
function acceptedIds(list, most) {
  return Array.isArray(list) ? list.filter((id) => isShort(id, most)) : list;
}

/**
 * @param {any} rows each a list with names in it
 * @param {number} most characters
 * @returns {any} without those with a name that is too long
 */
function acceptedRows(rows, most) {
  if (!Array.isArray(rows)) return rows;
  return rows.filter((row) => Array.isArray(row) && row.every((value) => isShort(value, most)));
}

module.exports = { acceptedIds, acceptedRows };
