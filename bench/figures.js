'use strict';

/** @param {number[]} values at least one */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {number} value */
function threeDigits(value) {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

/** @param {number} value */
function grouped(value) {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/**
 * What can be measured: which end is better, in which unit, how it is written.
 * @type {Record<string, { title: string, higherIsBetter: boolean, of(sample: any): number | null | undefined, format(value: number): string }>}
 */
const metrics = {
  rate: {
    title: 'a second',
    higherIsBetter: true,
    of: ({ rate }) => rate,
    format: (value) => grouped(Number(value.toPrecision(3)))
  },
  time: { title: 'µs each', higherIsBetter: false, of: ({ seconds }) => seconds * 1e6, format: threeDigits },
  cpu: {
    title: 'CPU µs each',
    higherIsBetter: false,
    of: ({ cpu }) => (typeof cpu === 'number' ? cpu * 1e6 : cpu),
    format: threeDigits
  },
  delivery: {
    title: 'CPU µs a delivery',
    higherIsBetter: false,
    of: ({ delivery }) => delivery * 1e6,
    format: threeDigits
  },
  rss: { title: 'MB resident', higherIsBetter: false, of: ({ rss }) => rss / 1e6, format: threeDigits },
  heap: { title: 'MB heap', higherIsBetter: false, of: ({ heap }) => heap / 1e6, format: threeDigits },
  require: { title: 'ms to require', higherIsBetter: false, of: ({ seconds }) => seconds * 1e3, format: threeDigits },
  listening: {
    title: 'ms until it listens',
    higherIsBetter: false,
    of: ({ listening }) => (listening === undefined ? undefined : listening * 1e3),
    format: threeDigits
  }
};

/**
 * The median of a metric over the rounds, or undefined when it was not measured.
 * @param {any[] | undefined} samples
 * @param {string} metric
 * @returns {number | undefined}
 */
function figure(samples, metric) {
  const values = (samples ?? []).map(metrics[metric].of);
  if (values.length === 0 || values.some((value) => typeof value !== 'number' || Number.isNaN(value))) return undefined;
  return Number(median(/** @type {number[]} */ (values)).toPrecision(6));
}

module.exports = { figure, grouped, median, metrics, threeDigits };
