'use strict';

const fs = require('node:fs');
const { BOUND_HEAD, boundColumns, written } = require('./table.js');
const { contenders } = require('../drivers/index.js');
const { metrics } = require('../figures.js');
const { titleOf } = require('../cells.js');

const BEGIN = '<!-- figures: written by npm run bench -- --write-readme -->';
const END = '<!-- end of figures -->';

/** @param {string[][]} rows the first is the head */
function markdown([head, ...rows]) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

/** @param {any} results */
function figures(results) {
  const { cpu, cores, memory, system, node } = results.machine;
  const measured = Object.values(results.cells);
  const names = Object.keys(contenders).filter((name) => measured.some((cell) => name in cell.figures));
  const columns = names.filter((name) => contenders[name].sender === undefined);
  const rows = measured.flatMap((cell) =>
    cell.metrics.map((/** @type {string} */ metric, /** @type {number} */ i) => [
      i === 0 ? titleOf(cell) : '',
      metrics[metric].title,
      ...columns.map((name) => written(cell, name, metric))
    ])
  );
  const mixed = names.filter((name) => contenders[name].sender !== undefined);
  const versions = columns
    .map((name) => `${contenders[name].title}: ${results.contenders[name]?.version ?? '?'}`)
    .join('; ');
  const rounds = Math.min(...measured.map((cell) => cell.rounds));
  return [
    `Taken ${results.taken.slice(0, 10)} on ${cores} cores of ${cpu}, ${memory}, ${system}, Node ${node}. Medians of at least ${rounds} rounds.`,
    versions + '.',
    '### Ratios',
    markdown([BOUND_HEAD, ...results.bounds.map(boundColumns)]),
    '### Figures',
    markdown([['', '', ...columns.map((name) => contenders[name].title)], ...rows]),
    ...(mixed.length === 0 || results.cells.v1 === undefined
      ? []
      : [
          'With a 0.4.0 host at one end: ' +
            mixed
              .map((name) => `${contenders[name].title}: ${written(results.cells.v1, name, 'rate')} a second`)
              .join(', ') +
            '.'
        ])
  ].join('\n\n');
}

/**
 * Replaces the figures in the README.
 * @param {string} file
 * @param {any} results
 */
function write(file, results) {
  const text = fs.readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`There is no place for figures in ${file}`);
  fs.writeFileSync(file, text.slice(0, from + BEGIN.length) + '\n\n' + figures(results) + '\n\n' + text.slice(to));
}

module.exports = { write };
