'use strict';
// Where a promise about jobs, requests, drains or watches was broken, by the logs of all processes. See checker.js.
//
// Jobs for a group, each known by its process and a number:
// - what a member gets was published; two members get the same only when the publisher lost all of them but one, and one gets the same
//   twice only when the publisher had seen it leave: a process that was frozen takes what it had been sent before, too;
// - none vanishes: it is done, or reported there by the event 'drop', while one process has been a member without interruption for
//   `PATIENCE` after the publish, the publisher had got something from it before, and has not seen it leave;
// - when nothing bad happens and so many are published that everybody gets some, every member gets at least one (`V`).
//
// Requests:
// - each is handled once at most, and has one outcome, unless its process was killed;
// - a reply is the one that was given to this request, by a process that handled it; what failed definitely was never handled;
// - who drains has everything settled when that resolves, and has answered whoever did not lose it before.
//
// Watches: a join for who is not there, a leave for who is.

/** How long a job may take until it is done, or reported as dropped, in ms. */
const PATIENCE = 20_000;
/** The request was not handled. */
const UNHANDLED = new Set([
  'ERR_PEER_NOT_FOUND',
  'ERR_PEER_UNREACHABLE',
  'ERR_MESSAGE_NOT_SERIALIZABLE',
  'ERR_OVERLOADED',
  'ERR_HOST_DRAINING',
  'ERR_NO_HANDLER'
]);
/** It was handled once. */
const HANDLED = new Set(['ERR_HANDLER']);
/** It was handled once or not at all. */
const EITHER = new Set(['ERR_DELIVERY_UNKNOWN', 'ERR_REQUEST_TIMEOUT', 'ERR_HOST_CLOSED']);

/**
 * @param {import('./checker.js').Process[]} processes
 * @param {Map<string, import('./checker.js').View>} views
 * @param {{violations: string[], counts: Record<string, number>}} context
 */
function checkJobs(processes, views, { violations, counts }) {
  /** @type {Map<string, Map<number, {name: string, time: number}[]>>} by publisher and number, who has got it */
  const done = new Map(processes.map(({ name }) => [name, new Map()]));
  for (const { name, lines } of processes) {
    for (const [time, kind, publisher, n] of lines) {
      if (kind !== 'C') continue;
      const jobs = done.get(publisher);
      if (jobs === undefined) {
        violations.push(`${publisher}: job ${n} was done by ${name} but never published`);
        continue;
      }
      if (!jobs.has(n)) jobs.set(n, []);
      jobs.get(n)?.push({ name, time });
    }
  }
  const members = processes.map((process) => ({ ...process, times: memberTimes(process) }));

  for (const { name, killed, lines } of processes) {
    const jobs = /** @type {Map<number, {name: string, time: number}[]>} */ (done.get(name));
    const view = /** @type {import('./checker.js').View} */ (views.get(name));
    const end = lines.at(-1)?.[0] ?? 0;
    const published = new Map();
    let reported = 0;
    for (const [time, kind, first, second, third] of lines) {
      if (kind === 'J') published.set(first, time);
      else if (kind === 'D' && second === 'jobs') reported += third;
      else if (kind === 'V') checkShares(name, first, second, third, jobs);
    }
    counts.jobs += published.size;
    counts.dropped += reported;
    for (const [n, at] of published) {
      const by = jobs.get(n) ?? [];
      if (by.length > 0) {
        counts.done++;
        const names = by.map(({ name }) => name);
        const again = names.find(
          (name, index) => names.indexOf(name) < index && !hasLost(lines, views.get(name)?.id, at, GONE)
        );
        const faithful = new Set(names.filter((name) => !hasLost(lines, views.get(name)?.id, at, LOST)));
        if (again !== undefined) violations.push(`${name}: job ${n} was done twice by ${again}`);
        else if (faithful.size > 1)
          violations.push(`${name}: job ${n} was done by ${names.join(' and ')}, neither of which was lost`);
        continue;
      }
      const owing = members.find(({ name, times }) => owes(view, /** @type {any} */ (views.get(name)), times, at, end));
      if (killed || owing === undefined) counts.unowed++;
      else if (reported-- > 0) continue;
      else violations.push(`${name}: job ${n} vanished, although ${owing.name} was a member`);
    }
    for (const [n, by] of jobs)
      if (!published.has(n)) violations.push(`${name}: job ${n} was done by ${by[0].name} but never published`);
  }

  /** Everybody who was a member at a quiet moment has got some of the jobs that were published then. */
  function checkShares(publisher, first, last, processes, jobs) {
    for (const member of processes) {
      let got = false;
      for (let n = first; n <= last; n++) got ||= (jobs.get(n) ?? []).some(({ name }) => name === member);
      if (!got)
        violations.push(`${publisher}: ${member} got none of the jobs ${first} to ${last}, although it was a member`);
    }
  }
}

/** @param {import('./checker.js').Process} process @returns {{from: number, to: number}[]} when it was a member, as all others knew */
function memberTimes({ lines }) {
  const times = [];
  for (const [time, kind] of lines) {
    if (kind === '+') times.push({ from: time, to: Infinity });
    // Who has left and come back while others were told says twice that it is a member.
    else if (kind === '-' || kind === 'drain' || kind === 'ending')
      for (const open of times) open.to = Math.min(time, open.to);
  }
  return times;
}

/**
 * Whether a job that was published then had to be done, because of that member.
 * @param {import('./checker.js').View} publisher
 * @param {import('./checker.js').View} member
 * @param {{from: number, to: number}[]} times
 * @param {number} at
 * @param {number} end of the publisher
 */
function owes(publisher, member, times, at, end) {
  const until = at + PATIENCE;
  if (end < until && !publisher.last) return false;
  const covers = ({ from, to }) => from <= at && (until <= to || (publisher.last && member.last && to === Infinity));
  if (!times.some(covers) || (member.ended < until && !member.last)) return false;
  const known = publisher.members.get(member.id)?.find(covers);
  return known !== undefined && publisher.got.get(member.name)?.some((time) => known.from <= time && time <= at);
}

const GONE = ['leave'];
const LOST = ['disconnect', 'leave'];

/** Whether a process has seen one of these changes of that host since then. */
function hasLost(lines, id, since, changes) {
  return lines.some(
    ([time, kind, change, who]) => kind === 'M' && time >= since && who === id && changes.includes(change)
  );
}

/**
 * @param {import('./checker.js').Process[]} processes
 * @param {Map<string, import('./checker.js').View>} views
 * @param {{violations: string[], counts: Record<string, number>}} context
 */
function checkRequests(processes, views, { violations, counts }) {
  /** @type {Map<string, {name: string, time: number}[]>} by process and number */
  const handled = new Map();
  for (const { name, lines } of processes) {
    for (const [time, kind, asker, , to, n] of lines) {
      if (kind !== 'N') continue;
      const key = `${asker} ${n}`;
      if (handled.has(key)) violations.push(`${asker}: request ${n} was handled again, by ${name}`);
      else handled.set(key, []);
      handled.get(key)?.push({ name, time });
      if (to.split('/')[0] !== name.split('.')[0])
        violations.push(`${asker}: request ${n} to ${to} was handled by ${name}`);
    }
  }
  const drained = new Map(
    processes.flatMap(({ name, lines }) => lines.filter(([, kind]) => kind === 'drained').map(([time]) => [name, time]))
  );
  for (const { name, killed, lines } of processes) {
    const asked = new Map();
    for (const [time, kind, n, first, second] of lines) {
      if (kind === 'Q') {
        asked.set(n, { text: `${name}: request ${n} to ${second}`, time, outcome: null });
        counts.asked++;
        continue;
      }
      if (kind !== 'K' && kind !== 'X') continue;
      const request = asked.get(n);
      if (request === undefined) violations.push(`${name}: request ${n} ended but was never made`);
      else if (request.outcome !== null) violations.push(`${request.text} ended twice`);
      else
        checkEnd(
          request,
          kind === 'K' ? null : first,
          kind === 'K' ? { first, second } : null,
          time,
          lines,
          handled.get(`${name} ${n}`)?.[0]
        );
    }
    for (const { text, outcome } of asked.values())
      if (outcome === null && !killed) violations.push(`${text} never ended`);
  }

  function checkEnd(request, code, reply, time, lines, by) {
    const { text } = request;
    request.outcome = code ?? 'answered';
    if (reply !== null) {
      counts.answered++;
      if (by === undefined || by.name !== reply.first || !reply.second)
        violations.push(`${text} was answered by ${reply.first}, but handled by ${by?.name ?? 'nobody'}`);
    } else if (UNHANDLED.has(code)) {
      if (by !== undefined) violations.push(`${text} failed with ${code} but was handled by ${by.name}`);
    } else if (HANDLED.has(code)) {
      if (by === undefined) violations.push(`${text} failed with ${code} but was never handled`);
    } else if (!EITHER.has(code)) violations.push(`${text} failed with the unexpected code ${code}`);
    else if (
      code === 'ERR_DELIVERY_UNKNOWN' &&
      by !== undefined &&
      drained.has(by.name) &&
      !hasLost(
        lines.filter(([at]) => at <= time),
        views.get(by.name)?.id,
        request.time,
        LOST
      )
    ) {
      violations.push(`${text} was not answered by ${by.name}, which has drained`);
    }
  }
}

/**
 * @param {import('./checker.js').Process[]} processes
 * @param {{violations: string[]}} context
 */
function checkRest(processes, { violations }) {
  for (const { name, lines } of processes) {
    const at = lines.findIndex(([, kind]) => kind === 'drained');
    for (const [, kind, n] of at === -1 ? [] : lines.slice(at)) {
      if (kind === 'O' || kind === 'F') violations.push(`${name}: send ${n} settled after the drain`);
      else if (kind === 'K' || kind === 'X') violations.push(`${name}: request ${n} ended after the drain`);
    }
    for (const [, kind, type, id] of lines) {
      if (kind === 'Z') violations.push(`${name}: a watch told a ${type} of ${id} that makes no sense`);
    }
  }
}

module.exports = { checkJobs, checkRequests, checkRest };
