'use strict';

// What a host that announces hostile subscriptions costs one that publishes: patterns that are made to be slow, and the memory for names and
// patterns, also after that host has been given up.

const { Member, KIND, frame, num, record } = require('../../../__test__/bounds/member.js');
const { Workers } = require('../workers.js');
const { median } = require('../statistics.js');

const WHOLE = 1;
const MORE = 2;
const PATTERN = 1;
const MB = 1e6;

/** A name that nearly reaches all of them. */
const NAME = `${'a'.repeat(40)}.{}`;

/** @param {number} n a pattern of some 35 bytes, each a different one that begins like half of the others */
function slow(n) {
  const bits = n.toString(2).padStart(20, '0');
  return (
    [...bits]
      .reverse()
      .slice(0, 14)
      .map((bit) => (bit === '1' ? '*a' : '*aa'))
      .join('') + n.toString(36)
  );
}

/** @param {number} n of some 20 bytes */
const name = (n) => `channel.${String(n).padStart(12, '0')}`;

/** @param {number} n of some 80 bytes */
const glob = (n) => `${String(n * 7919).padStart(10, '0')}${'*abcdefghi'.repeat(7)}`;

/** Whether a record of that kind is in a frame. @param {Buffer} bytes @param {number} kind */
function holds(bytes, kind) {
  for (let at = 1; at < bytes.length;) {
    if (bytes[at++] === kind) return true;
    let length = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      length += (byte & 127) * factor;
      if (byte < 128) break;
    }
    at += length;
  }
  return false;
}

/**
 * Has a member announce so many bytes of names, or so many names, and waits until they have taken effect.
 * @param {Member} member
 * @param {(n: number) => string} named
 * @param {{ count?: number, bytes?: number }} most
 */
async function announce(member, named, { count = Infinity, bytes = Infinity }) {
  const flag = named === name ? 0 : PATTERN;
  let [n, said] = [0, 0];
  while (n < count && said < bytes) {
    /** @type {[string, number][]} */
    const changes = [];
    for (let size = 0; size < MB && n < count && said < bytes; n++) {
      const text = named(n);
      changes.push([text, flag]);
      size += text.length;
      said += text.length;
    }
    const last = n >= count || said >= bytes;
    await member.write(frame(member.interest((said === changes.length ? WHOLE : 0) | (last ? 0 : MORE), changes)));
  }
  const { socket } = member;
  if (!socket) throw new Error('It is not connected');
  const synced = new Promise((resolve) => {
    socket.on(
      'message',
      (/** @type {Buffer} */ data, isBinary) => isBinary && holds(data, KIND.SYNCED) && resolve(undefined)
    );
  });
  await member.write(frame(record(KIND.SYNC, num(1))));
  await synced;
}

/** A publisher, and a member that joins it. @param {(worker: any, member: Member) => Promise<any>} what */
async function attacked(what) {
  const workers = new Workers(1);
  const [worker] = workers.sides;
  try {
    const options = { reconnectTimeout: 500, reconnectDelay: 100 };
    const [url] = await worker.call('listen', { of: 'ours', count: 1, options });
    const member = await Member.join(url);
    return await what(worker, member);
  } finally {
    await workers.stop();
  }
}

/**
 * CPU µs a publish, for the process that publishes: to names that are all different, and to ten again and again.
 * @param {number} count of patterns
 * @param {number} publishes
 */
function publish(count, publishes) {
  return attacked(async (worker, member) => {
    if (count > 0) await announce(member, slow, { count });
    const figures = [];
    for (const of of [publishes, 10]) {
      const before = await worker.call('usage');
      await worker.call('publish', { form: NAME, count: publishes, of });
      const after = await worker.call('usage');
      figures.push(((after.cpu - before.cpu) * 1e6) / publishes);
    }
    member.end();
    return figures;
  });
}

/**
 * MB that are resident more than before: with the names, and after their host was given up.
 * @param {(n: number) => string} named
 * @param {number} bytes
 */
function remember(named, bytes) {
  return attacked(async (worker, member) => {
    const before = await worker.call('occupied');
    await announce(member, named, { bytes });
    const during = await worker.call('occupied');
    member.end();
    await worker.call('connected', { others: 0 });
    await new Promise((resolve) => setTimeout(resolve, 5000));
    const after = await worker.call('occupied');
    return [during - before, after - before].map((more) => more / MB);
  });
}

/**
 * @param {{ quick: boolean, rounds: number }} options
 */
async function run({ quick, rounds }) {
  /** @param {() => Promise<number[]>} measured */
  const often = async (measured) => {
    const samples = [];
    for (let round = 0; round < rounds; round++) samples.push(await measured());
    return [0, 1].map((i) => median(samples.map((sample) => sample[i])));
  };
  const figures = [];
  const rows = [];
  for (const count of quick ? [0, 1000] : [0, 1000, 100000, 400000]) {
    const [different, again] = await often(() => publish(count, count > 1000 ? 500 : 5000));
    figures.push({ slow: count, different, again });
    rows.push([`${count.toLocaleString('en')} slow patterns, µs a publish`, different.toFixed(1), again.toFixed(1)]);
  }
  for (const [title, named] of /** @type {[string, (n: number) => string][]} */ ([
    ['names', name],
    ['patterns', glob]
  ])) {
    for (const bytes of quick ? [2 * MB] : [20 * MB, 41 * MB]) {
      const [during, after] = await often(() => remember(named, bytes));
      figures.push({ kind: title, bytes, during, after });
      rows.push([`${bytes / MB} MB of ${title}, MB resident`, during.toFixed(0), after.toFixed(0)]);
    }
  }
  return { head: ['', 'different channels, or meanwhile', 'the same ones, or after it'], rows, figures };
}

module.exports = { title: 'What hostile subscriptions of another host cost', run };
