'use strict';

const { metrics, threeDigits } = require('../figures.js');
const { titleOf } = require('../cells.js');

/**
 * Lines of text with aligned columns: the first to the left, the others to the right.
 * @param {string[][]} rows
 */
function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map(
      (row) =>
        '  ' +
        row
          .map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column])))
          .join('   ')
          .trimEnd()
    )
    .join('\n');
}

/**
 * One cell: a line a contender, with the range of the rounds, and the ratio of the first line to it.
 * @param {any} cell
 * @param {Record<string, { title: string }>} contenders
 */
function ofCell(cell, contenders) {
  const [main] = cell.metrics;
  const { of, format } = metrics[main];
  const names = Object.keys(cell.samples);
  const first = names[0];
  const rows = names.map((name) => {
    const values = cell.samples[name].map(of).filter((/** @type {any} */ value) => typeof value === 'number');
    const range = values.length === 0 ? '' : `${format(Math.min(...values))} – ${format(Math.max(...values))}`;
    const [a, b] = [cell.figures[first]?.[main], cell.figures[name][main]];
    const ratio = name === first || a === undefined || b === undefined ? '' : threeDigits(a / b);
    return [
      contenders[name].title,
      ...cell.metrics.map((/** @type {string} */ metric) => written(cell, name, metric)),
      range,
      ratio
    ];
  });
  const head = [
    '',
    ...cell.metrics.map((/** @type {string} */ metric) => metrics[metric].title),
    'range',
    `${contenders[first]?.title} / it`
  ];
  const failed = Object.keys(cell.failures)
    .map((name) => `\n  ${contenders[name].title}: FAILED`)
    .join('');
  return `\n${titleOf(cell)}\n${aligned([head, ...rows])}${failed}`;
}

/**
 * @param {any} cell
 * @param {string} name
 * @param {string} metric
 */
function written(cell, name, metric) {
  const value = cell.figures[name]?.[metric];
  return typeof value === 'number' ? metrics[metric].format(value) : '–';
}

/**
 * The columns of a bound, as texts.
 * @param {any} bound
 */
function boundColumns({ title, subject, against, metric, relation, must, aim, ratio, verdict }) {
  const limit = (/** @type {number | undefined} */ value) =>
    value === undefined ? '' : `${relation} ${threeDigits(value)}`;
  const who = subject === 'ours' ? against : `${subject} / ${against}`;
  return [title, who, metrics[metric].title, threeDigits(ratio), limit(must), limit(aim), verdict];
}

const BOUND_HEAD = ['', 'distribus /', 'measure', 'ratio', 'must', 'aim', ''];

/** @param {any[]} bounds judged */
function ofBounds(bounds) {
  if (bounds.length === 0) return '';
  return '\nRatios\n' + aligned([BOUND_HEAD, ...bounds.map(boundColumns)]) + '\n';
}

module.exports = { BOUND_HEAD, aligned, boundColumns, ofBounds, ofCell, written };
