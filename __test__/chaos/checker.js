'use strict';
// Reads what all processes of a run have logged, and says where a promise was broken. It knows nothing of the faults but which
// processes were killed.
//
// Sends, each known by its process, the two peers and a number that counts up in that pair:
// - what was received was sent, and is received by a process of the receiver's host;
// - none is received twice, not even by different incarnations of the receiver's host;
// - those of one pair are received in the order of their numbers, also across incarnations of the receiver's host;
// - resolved: received exactly once, and before it resolved;
// - rejected with a code of `DEFINITE`: never received; of `UNKNOWN`: received once or not at all; there are no other codes;
// - every one settles, and once, unless its process was killed; only what was sent settles.
//
// Publishes, each known by its process, the channel and a number that counts up in the two:
// - what was heard was published;
// - none is heard twice by one process, and each process hears those of one publisher on one channel in the order of their numbers;
// - no gaps: every process hears all its own. And it hears each one of another process that was published, and the next one that it
//   heard was published and heard, while each of the two was a member to the other without interruption, by what their events 'join' and
//   'leave' said ('disconnect' and 'reconnect' do not interrupt). Of two processes that live at the end, the last ones are owed like that
//   as well. Not before one of them has got something from the other since both knew of each other, though: a connection may be lost when
//   only one of them has heard of it. So what may be missing is: what was published before the other had joined or after it had left, or about which one gave the
//   other up (it was lost longer than `reconnectTimeout`) or found it started anew, and what was under way when one of them ended;
// - no silent gaps: what is missing between two that one process has heard, and may be missing, is told there by the event 'gap'.
//
// What was dropped because too much waited is excused if the publisher was told so by 'drop'.
//
// Jobs, requests, drains and watches: see group_checker.js.
//
// Processes: each one ends because it was told to, or is killed by the run itself.

const { checkJobs, checkRequests, checkRest } = require('./group_checker.js');

/** The message was never delivered. */
const DEFINITE = new Set([
  'ERR_PEER_NOT_FOUND',
  'ERR_PEER_UNREACHABLE',
  'ERR_MESSAGE_NOT_SERIALIZABLE',
  'ERR_HOST_CLOSED',
  'ERR_OVERLOADED',
  'ERR_HOST_DRAINING',
  'ERR_MESSAGE_TOO_LARGE',
  'ERR_ID_TOO_LONG'
]);
/** The message was delivered zero or one time. */
const UNKNOWN = new Set(['ERR_DELIVERY_UNKNOWN', 'ERR_REQUEST_TIMEOUT']);

/**
 * @typedef {object} Process
 * @property {string} name the host's name, a dot, the number of its life
 * @property {string} host
 * @property {number} life
 * @property {boolean} killed
 * @property {boolean} last whether it lived until the end of the run, when everybody waited for what was owed
 * @property {any[][]} lines
 */

/**
 * @param {Process[]} processes
 * @returns {{violations: string[], counts: Record<string, number>, codes: Record<string, number>}}
 */
function check(processes) {
  const ordered = [...processes].sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.life - b.life));
  /** @type {string[]} */
  const violations = [];
  const counts = {
    sent: 0,
    resolved: 0,
    definite: 0,
    unknown: 0,
    unsettled: 0,
    received: 0,
    published: 0,
    heard: 0,
    excused: 0,
    asked: 0,
    answered: 0,
    jobs: 0,
    done: 0,
    dropped: 0,
    unowed: 0
  };
  const codes = {};
  const context = { violations, counts, codes };
  for (const { name, killed, lines } of ordered) {
    if (!killed && !lines.some(([, kind]) => kind === 'end'))
      violations.push(`${name} has not ended as it was told to`);
  }
  checkSends(ordered, context);
  const views = new Map(ordered.map((process) => [process.name, viewOf(process)]));
  checkPublishes(ordered, views, context);
  checkJobs(ordered, views, context);
  checkRequests(ordered, views, context);
  checkRest(ordered, context);
  return context;
}

/**
 * @param {Process[]} processes
 * @param {{violations: string[], counts: Record<string, number>, codes: Record<string, number>}} context
 */
function checkSends(processes, { violations, counts, codes }) {
  /** @type {Map<string, Map<string, any[]>>} by process and pair, the sends in order */
  const sent = new Map();
  for (const { name, lines } of processes) {
    const pairs = new Map();
    const sends = new Map();
    sent.set(name, pairs);
    for (const [time, kind, number, ...fields] of lines) {
      if (kind === 'S') {
        const [from, to, n] = fields;
        const send = {
          text: `${name}: ${from} → ${to} #${n}`,
          time,
          outcome: null,
          settled: 0,
          received: 0,
          receivedAt: 0
        };
        sends.set(number, send);
        const key = `${from} ${to}`;
        if (!pairs.has(key)) pairs.set(key, []);
        pairs.get(key)[n] = send;
        counts.sent++;
      } else if (kind === 'O' || kind === 'F') {
        const send = sends.get(number);
        if (send === undefined) violations.push(`${name}: send ${number} settled but was never sent`);
        else if (send.outcome !== null) violations.push(`${send.text} settled twice`);
        else Object.assign(send, { outcome: kind === 'O' ? 'resolved' : fields[0], settled: time });
      }
    }
  }

  /** @type {Map<string, number>} by process and pair, the number received last */
  const latest = new Map();
  for (const { name, host, lines } of processes) {
    for (const [time, kind, process, from, to, n] of lines) {
      if (kind !== 'R') continue;
      counts.received++;
      const send = sent.get(process)?.get(`${from} ${to}`)?.[n];
      if (send === undefined) {
        violations.push(`${process}: ${from} → ${to} #${n} was received by ${name} but never sent`);
        continue;
      }
      if (to.split('/')[0] !== host) violations.push(`${send.text} was received by ${name}`);
      send.received++;
      send.receivedAt = time;
      const pair = `${process} ${from} ${to}`;
      const before = latest.get(pair) ?? -1;
      if (send.received > 1)
        violations.push(`${send.text} was received ${send.received} times, the last time by ${name}`);
      else if (n < before) violations.push(`${send.text} was received by ${name} after #${before}`);
      latest.set(pair, Math.max(n, before));
    }
  }

  for (const { name, killed } of processes) {
    for (const sends of sent.get(name)?.values() ?? []) {
      for (const send of sends) if (send !== undefined) checkOutcome(send, killed);
    }
  }

  /**
   * @param {any} send
   * @param {boolean} killed
   */
  function checkOutcome({ text, outcome, settled, received, receivedAt }, killed) {
    if (outcome === null) {
      counts.unsettled++;
      if (!killed) violations.push(`${text} never settled`);
    } else if (outcome === 'resolved') {
      counts.resolved++;
      if (received === 0) violations.push(`${text} resolved but was never received`);
      else if (receivedAt > settled)
        violations.push(`${text} resolved ${(receivedAt - settled).toFixed(1)} ms before it was received`);
    } else {
      codes[outcome] = (codes[outcome] ?? 0) + 1;
      if (DEFINITE.has(outcome)) {
        counts.definite++;
        if (received > 0) violations.push(`${text} was rejected with ${outcome} but received`);
      } else if (UNKNOWN.has(outcome)) counts.unknown++;
      else violations.push(`${text} was rejected with the unexpected code ${outcome}`);
    }
  }
}

/**
 * @param {Process[]} processes
 * @param {Map<string, View>} views
 * @param {{violations: string[], counts: Record<string, number>}} context
 */
function checkPublishes(processes, views, { violations, counts }) {
  for (const view of views.values()) for (const list of view.published.values()) counts.published += list.length;
  for (const { name, last, lines } of processes) {
    const view = /** @type {View} */ (views.get(name));
    /** @type {Map<string, {n: number, time: number}[]>} by publisher and channel */
    const heard = new Map();
    for (const [time, kind, publisher, channel, n] of lines) {
      if (kind !== 'H') continue;
      counts.heard++;
      const key = `${publisher} ${channel}`;
      if (views.get(publisher)?.published.get(channel)?.[n] === undefined) {
        violations.push(`${publisher} on ${channel} #${n} was heard by ${name} but never published`);
        continue;
      }
      if (!heard.has(key)) heard.set(key, []);
      const list = /** @type {{n: number, time: number}[]} */ (heard.get(key));
      const before = list.at(-1);
      if (before !== undefined && n <= before.n) {
        const twice = list.some((h) => h.n === n);
        violations.push(
          `${publisher} on ${channel} #${n} was heard by ${name} ${twice ? 'twice' : `after #${before.n}`}`
        );
      } else list.push({ n, time });
    }
    for (const publisher of processes) {
      const other = /** @type {View} */ (views.get(publisher.name));
      for (const [channel, published] of other.published) {
        const list = heard.get(`${publisher.name} ${channel}`) ?? [];
        if (last && publisher.last) list.push({ n: published.length, time: Infinity });
        checkGaps(name, view, publisher.name, other, channel, list);
      }
    }
  }

  /**
   * @param {string} name of the subscriber
   * @param {View} view of the subscriber
   * @param {string} publisher
   * @param {View} other the publisher's view
   * @param {string} channel
   * @param {{n: number, time: number}[]} heard in order
   */
  function checkGaps(name, view, publisher, other, channel, heard) {
    const published = /** @type {number[]} */ (other.published.get(channel));
    const drops = other.drops.filter((drop) => drop.channel === channel && view.names.has(drop.url));
    let told = drops.reduce((sum, { count }) => sum + count, 0);
    let expected = 0;
    let before = 0;
    for (const { n, time } of heard) {
      const excused = counts.excused;
      for (let missing = expected; missing < n; missing++) {
        const at = published[missing];
        const met = name === publisher || haveMet(view, other, at, published[n] ?? Infinity, time);
        const owed = met && told === 0;
        if (met && told > 0) told--;
        if (!owed) counts.excused += expected > 0 ? 1 : 0;
        else
          violations.push(
            `${publisher} on ${channel} #${missing} was not heard by ${name}, but ${n === published.length ? 'should have been' : `#${n} was`}`
          );
      }
      if (
        counts.excused > excused &&
        !view.gaps.some(({ url, at }) => other.names.has(url) && before < at && at <= time)
      ) {
        violations.push(
          `${publisher} on ${channel} #${expected} to #${n - 1} were not heard by ${name}, which was not told of a gap`
        );
      }
      expected = n + 1;
      before = time;
    }
  }
}

/**
 * Whether a subscriber and a publisher have been members to each other all the time, and one had got something from the other before.
 * @param {View} view of the subscriber
 * @param {View} other the publisher's view
 * @param {number} at when it was published
 * @param {number} next when the next one was that has been heard
 * @param {number} heard when that one was heard
 */
function haveMet(view, other, at, next, heard) {
  const there = other.members.get(view.id)?.find(({ from, to }) => from <= at && next <= to);
  const here = view.members.get(other.id)?.find(({ from, to }) => from <= at && heard <= to);
  if (there === undefined || here === undefined) return false;
  const since = Math.max(there.from, here.from);
  const got = (/** @type {number[] | undefined} */ times) =>
    times !== undefined && times.some((time) => since <= time && time <= at);
  return got(view.got.get(other.name)) || got(other.got.get(view.name));
}

/**
 * What a process knew and said.
 * @typedef {object} View
 * @property {string} id
 * @property {Set<string>} names its id and urls
 * @property {boolean} last
 * @property {number} ended when it wrote its last line
 * @property {Map<string, number[]>} published by channel, when each message was published
 * @property {Map<string, {from: number, to: number}[]>} members by id, when that one was a member
 * @property {{url: string, at: number}[]} gaps told of
 * @property {{url: string, channel: string, count: number}[]} drops told of
 * @property {Map<string, number[]>} got by process, when something came from it
 * @property {string} name
 * @param {Process} process
 * @returns {View}
 */
function viewOf({ name, last, lines }) {
  let id = '';
  const names = new Set();
  const gaps = [];
  const drops = [];
  const got = new Map();
  const published = new Map();
  const members = new Map();
  for (const [time, kind, first, second, third] of lines) {
    if (kind === 'id') {
      id = first;
      for (const name of [first, second, third]) names.add(name);
    } else if (kind === 'D') drops.push({ url: first, channel: second, count: third });
    else if (kind === 'R' || kind === 'H' || kind === 'C') {
      if (!got.has(first)) got.set(first, []);
      got.get(first).push(time);
    } else if (kind === 'G') gaps.push({ url: first, at: time });
    else if (kind === 'P') {
      if (!published.has(first)) published.set(first, []);
      published.get(first)[second] = time;
    } else if (kind === 'M' && first === 'join') {
      if (!members.has(second)) members.set(second, []);
      members.get(second).push({ from: time, to: Infinity });
    } else if (kind === 'M' && first === 'leave') {
      const interval = members.get(second)?.at(-1);
      if (interval !== undefined) interval.to = time;
    }
  }
  return { name, id, names, last, ended: lines.at(-1)?.[0] ?? 0, published, members, gaps, drops, got };
}

module.exports = { check, DEFINITE, UNKNOWN };
