'use strict';

const { contenders } = require('../drivers/index.js');
const { metrics } = require('../figures.js');

/** What the chart shows: a panel a cell. Rust alone is left out, because beside it nothing else could be seen. */
const PANELS = [
  { cell: 'acked-11-50k', metric: 'rate', title: 'Acknowledged sends a second' },
  { cell: 'publish-11', metric: 'rate', title: 'Publishes a second' },
  { cell: 'round-trip', metric: 'time', title: 'Round trip, µs' },
  { cell: 'memory', metric: 'rss', title: 'Memory of 1,000,000 peers, MB' }
];

const COLUMN = 440;
const LABEL = 150;
const BAR = 170;
const ROW = 22;
const HEAD = 56;
const PAD = 24;

const STYLE = `
    text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
    .title { font-size: 14px; font-weight: 600; }
    .note { font-size: 11px; fill: #656d76; }
    .ours { font-weight: 600; }
    rect { fill: #afb8c1; }
    rect.ours { fill: #0969da; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .note { fill: #8d96a0; }
      rect { fill: #57606a; }
      rect.ours { fill: #4493f8; }
    }`;

/** @param {string} text */
function escape(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/**
 * @param {any} results
 * @param {typeof PANELS[number]} spec
 */
function panelOf(results, { cell, metric, title }) {
  const measured = results.cells[cell];
  if (measured === undefined) return [];
  const bars = Object.keys(measured.figures)
    .filter((name) => !contenders[name].limit && typeof measured.figures[name][metric] === 'number')
    .map((name) => ({ name, value: measured.figures[name][metric] }));
  const { higherIsBetter, format } = metrics[metric];
  bars.sort((a, b) => (higherIsBetter ? b.value - a.value : a.value - b.value));
  return [{ title, note: higherIsBetter ? 'longer is better' : 'shorter is better', format, bars }];
}

/**
 * @param {ReturnType<typeof panelOf>[number]} panel
 * @param {number} x
 * @param {number} y
 */
function draw({ title, note, format, bars }, x, y) {
  const most = Math.max(...bars.map(({ value }) => value));
  const lines = bars.map(({ name, value }, i) => {
    const top = y + HEAD + i * ROW;
    const width = Math.max(1, (value / most) * BAR);
    const mark = name === 'ours' ? ' class="ours"' : '';
    return [
      `<text${mark} x="${x + LABEL - 8}" y="${top + 12}" text-anchor="end">${escape(contenders[name].title)}</text>`,
      `<rect${mark} x="${x + LABEL}" y="${top}" width="${width.toFixed(1)}" height="16" rx="2"/>`,
      `<text${mark} x="${(x + LABEL + width + 6).toFixed(1)}" y="${top + 12}">${escape(format(value))}</text>`
    ].join('\n  ');
  });
  return [
    `<text class="title" x="${x + 8}" y="${y + 20}">${escape(title)}</text>`,
    `<text class="note" x="${x + 8}" y="${y + 38}">${note}</text>`,
    ...lines
  ].join('\n  ');
}

/**
 * Bars of the most important figures, as SVG that can be read on a light and on a dark page.
 * @param {any} results
 */
function chart(results) {
  const panels = PANELS.flatMap((spec) => panelOf(results, spec));
  const heights = [];
  for (let i = 0; i < panels.length; i += 2) {
    heights.push(HEAD + Math.max(...panels.slice(i, i + 2).map(({ bars }) => bars.length)) * ROW + PAD);
  }
  const top = (/** @type {number} */ row) => heights.slice(0, row).reduce((sum, height) => sum + height, 0);
  const height = top(heights.length) + PAD;
  const { cpu, cores, node } = results.machine;
  const foot = `Two processes on one machine, 11-byte messages. ${cores} cores of ${cpu}, Node ${node}, ${results.taken.slice(0, 10)}.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * COLUMN} ${height}" width="${2 * COLUMN}" height="${height}" role="img">
  <title>distribus and others, measured by npm run bench</title>
  <style>${STYLE}
  </style>
  ${panels.map((panel, i) => draw(panel, (i % 2) * COLUMN, top(i >> 1))).join('\n  ')}
  <text class="note" x="8" y="${height - 10}">${escape(foot)}</text>
</svg>
`;
}

module.exports = { chart };
