'use strict';

const { FLAGS, KINDS, MEMBERSHIPS } = require('./contract.js');
const { fromFailure, textOf, urlTaken } = require('../common/errors.js');

/** @typedef {import('./batch.js')} Batch */

const {
  MESSAGES,
  UNDEFINED_MESSAGES,
  MESSAGES_BESIDE,
  UINT8_ARRAYS_BESIDE,
  LOOKUP,
  SETTLED,
  FAILED,
  DONE,
  CONNECTED,
  DISCONNECTED,
  LOCATED,
  FORGOTTEN,
  TIMER_STARTED,
  TIMER_STOPPED,
  NETWORK_ID,
  LIST,
  UNREACHABLE,
  MEMBER,
  DROPPED,
  GAP,
  RELIEVED,
  SLOW,
  PULSE,
  STALLED,
  ACCEPTED,
  GONE,
  URL_TAKEN,
  MAY_DIAL
} = KINDS;
const { NO_NAME, NO_SENDER, PUBLISHED, REQUESTED, REPLIED, NOTE, V1 } = FLAGS;
const { LEAVE } = MEMBERSHIPS;

/**
 * What the native host's events are for.
 * @typedef {object} Parts
 * @property {Pick<import('../host/calls.js'), 'succeed' | 'fail'>} calls
 * @property {Pick<import('../host/dials.js'), 'allow'>} dials
 * @property {Pick<import('../host/events.js'), 'emit'>} events
 * @property {Pick<import('../host/members.js'), 'apply' | 'unreachable'>} members
 * @property {Pick<import('../host/mirror.js'), 'connected' | 'disconnected' | 'located' | 'forgotten' | 'timerStarted' | 'timerStopped' | 'networkIdTaken'>} mirror
 * @property {Pick<import('../notes/notes.js'), 'take' | 'groups'>} notes
 * @property {Pick<import('../peer/requests.js').Requests, 'replied' | 'serve' | 'isFull' | 'accepted' | 'gone'>} requests
 * @property {Pick<import('../peer/residents.js'), 'get' | 'told'>} residents
 * @property {Pick<import('../host/sends.js'), 'delivered' | 'failed'>} sends
 * @property {Pick<import('../channels/subscriptions.js'), 'publish' | 'isHeard'>} subscriptions
 * @property {Pick<import('../host/trouble.js'), 'dropped' | 'tell' | 'threw'>} trouble
 * @property {() => void} relieved not much waits for any host any more
 * @property {(host: string) => void} left that host has left, or was given up
 */

/**
 * Applies a batch of events, in order, or the rest of it. Listeners are called and what programs see is changed, and anything that belongs to
 * a program may throw: then that one event, or that one message, has failed; the program is told, and the next one is applied.
 * @param {Batch} batch
 * @param {number} until when the rest has to wait for the next slice
 * @returns {boolean} whether all of it is applied
 */
function apply(batch, until) {
  const { length } = batch.events;
  batch.until = until;
  if (batch.since >= until) return false;
  while (batch.at < length) {
    try {
      while (batch.at < length) if (!applyNext(batch)) return false;
    } catch (err) {
      batch.parts.trouble.threw('An event of the network could not be applied', err);
    }
  }
  if (batch.at > length) throw new Error('distribus: native part and JavaScript do not match');
  return true;
}

/** How many values come after the kind of an event. Those of messages are not here. @type {Record<number, number>} */
const WIDTHS = {
  [LOOKUP]: 2,
  [LIST]: 0,
  [MAY_DIAL]: 1,
  [SETTLED]: 2,
  [FAILED]: 2,
  [DONE]: 3,
  [CONNECTED]: 3,
  [DISCONNECTED]: 1,
  [LOCATED]: 2,
  [FORGOTTEN]: 1,
  [TIMER_STARTED]: 1,
  [TIMER_STOPPED]: 1,
  [NETWORK_ID]: 2,
  [ACCEPTED]: 3,
  [GONE]: 1,
  [DROPPED]: 4,
  [GAP]: 2,
  [RELIEVED]: 0,
  [SLOW]: 1,
  [PULSE]: 0,
  [STALLED]: 3,
  [URL_TAKEN]: 2,
  [UNREACHABLE]: 2,
  [MEMBER]: 3
};

/**
 * @param {Batch} batch whose next event is applied; it is behind us whatever happens, unless the slice ends within it
 * @returns {boolean} whether the slice goes on
 */
function applyNext(batch) {
  const { events } = batch;
  const kind = events[batch.at];
  const at = batch.at + 1;
  if (kind <= UINT8_ARRAYS_BESIDE) {
    batch.at = at + (events[at] & REQUESTED ? 6 : 4);
    return messages(batch, kind, at);
  }
  batch.at = at + (WIDTHS[kind] ?? Infinity);
  applyEvent(batch.parts, batch, kind, at);
  return true;
}

/**
 * Applies a run of messages, or the rest of it.
 * @param {Batch} batch
 * @param {number} kind
 * @param {number} at
 * @returns {boolean} whether the slice goes on
 */
function messages(batch, kind, at) {
  const { parts, events } = batch;
  const flags = events[at];
  const name = flags & NO_NAME ? undefined : events[at + 1];
  const from = flags & NO_SENDER ? undefined : events[at + 2];
  const texts = events[at + 3];
  const count = kind === MESSAGES ? texts.length : texts;
  const { within } = batch;
  batch.within = 0;
  if (flags & PUBLISHED && count > 1 && !isHeard(parts, name, flags)) {
    batch.skip(count - within);
    if (kind > UNDEFINED_MESSAGES) batch.nextBeside += count - within;
    return true;
  }
  for (let n = within; n < count; n++) {
    try {
      const message =
        kind === MESSAGES
          ? texts[n]
          : kind === UNDEFINED_MESSAGES
            ? undefined
            : kind === MESSAGES_BESIDE
              ? batch.takeBeside()
              : new Uint8Array(batch.takeBeside());
      if (flags & PUBLISHED) publish(parts, name, message, (flags & V1) !== 0);
      else if (flags < REQUESTED) deliver(batch, name, from, message);
      else if (flags & REQUESTED) ask(batch, name, from, message, events[at + 5], events[at + 4] + n);
      else if (flags & REPLIED) parts.requests.replied(name + n, from, message);
      else if (flags & NOTE) note(batch, from, name, message);
    } catch (err) {
      threw(batch, flags, name, err);
    }
    if (batch.next()) {
      if (n + 1 < count) {
        batch.at = at - 1;
        batch.within = n + 1;
      }
      return false;
    }
  }
  return true;
}

/**
 * @param {Parts} parts
 * @param {Batch} batch
 * @param {number} kind
 * @param {number} at where the event's values begin
 */
function applyEvent(parts, batch, kind, at) {
  const { events } = batch;
  const first = events[at];
  const second = events[at + 1];
  const third = events[at + 2];
  switch (kind) {
    case LOOKUP:
    case LIST:
    case MAY_DIAL:
      reply(batch, kind, first, second);
      break;
    case SETTLED:
      parts.sends.delivered(first, second);
      break;
    case FAILED:
      parts.sends.failed(first, second);
      break;
    case DONE:
      if (second) parts.calls.succeed(first, third);
      else parts.calls.fail(first, fromFailure(third));
      break;
    case CONNECTED:
      parts.mirror.connected(first, second, third);
      break;
    case DISCONNECTED:
      parts.mirror.disconnected(first);
      break;
    case LOCATED:
      parts.mirror.located(first, second);
      break;
    case FORGOTTEN:
      parts.mirror.forgotten(first);
      break;
    case TIMER_STARTED:
      parts.mirror.timerStarted(first);
      break;
    case TIMER_STOPPED:
      parts.mirror.timerStopped(first);
      break;
    case NETWORK_ID:
      parts.mirror.networkIdTaken(first ? second : undefined);
      break;
    case ACCEPTED:
      parts.requests.accepted(first, second, third);
      break;
    case GONE:
      parts.requests.gone(first);
      break;
    case DROPPED:
      parts.trouble.dropped(first, second ? third : undefined, events[at + 3]);
      break;
    case GAP:
      parts.events.emit('gap', first, second);
      break;
    case RELIEVED:
      parts.relieved();
      break;
    case SLOW:
      parts.events.emit('slow', first);
      break;
    case STALLED:
      parts.events.emit('stalled', first, second, third);
      break;
    case URL_TAKEN:
      parts.trouble.tell(urlTaken(first, Boolean(second)));
      break;
    case UNREACHABLE:
      parts.members.unreachable(first, fromFailure(second));
      break;
    case MEMBER:
      parts.members.apply(first, second, third);
      if (first === LEAVE && third !== null) parts.left(third);
      break;
    default: // PULSE: that it is taken says enough
  }
}

/**
 * Replies to a question that is no message.
 * @param {Batch} batch
 * @param {number} kind
 * @param {any} first
 * @param {any} second
 */
function reply(batch, kind, first, second) {
  const { dials, residents } = batch.parts;
  if (kind === LIST) batch.list(JSON.stringify(residents.told()));
  else if (kind === LOOKUP && residents.get(first ? second : undefined) !== undefined) batch.here();
  else if (kind === MAY_DIAL && dials.allow(first)) batch.dial();
  batch.question++;
}

/**
 * @param {Batch} batch
 * @param {any} to
 * @param {any} from
 * @param {any} message
 */
function deliver(batch, to, from, message) {
  const peer = batch.parts.residents.get(to);
  if (peer === undefined) batch.miss();
  else peer.emit('message', from, message);
}

/**
 * @param {Batch} batch
 * @param {any} to
 * @param {any} from
 * @param {any} message
 * @param {string} host
 * @param {number} number
 */
function ask(batch, to, from, message, host, number) {
  const { requests, residents } = batch.parts;
  const peer = residents.get(to);
  if (peer === undefined) batch.miss();
  else if (requests.isFull(host)) batch.refuse();
  else requests.serve(peer, to, from, message, host, number);
}

/**
 * @param {Batch} batch
 * @param {string} host
 * @param {any} head
 * @param {any} message
 */
function note(batch, host, head, message) {
  if (!batch.parts.notes.take(host, head, message)) batch.miss();
}

/**
 * @param {Parts} parts
 * @param {any} channel
 * @param {any} message
 * @param {boolean} fromV1 from a 0.4.0 host
 */
function publish(parts, channel, message, fromV1) {
  parts.subscriptions.publish(channel, message);
  if (fromV1 && parts.notes.groups.busy) parts.notes.groups.publishedByV1(String(channel), message);
}

/**
 * Whether anybody listens to that channel. A run that nobody listens to costs no more than one message.
 * @param {Parts} parts
 * @param {any} channel
 * @param {number} flags
 */
function isHeard(parts, channel, flags) {
  return (flags & V1 && parts.notes.groups.busy) || parts.subscriptions.isHeard(channel);
}

/**
 * Those whom a message is for have thrown.
 * @param {Batch} batch
 * @param {number} flags
 * @param {any} name
 * @param {any} err
 */
function threw(batch, flags, name, err) {
  const who =
    flags & PUBLISHED
      ? `A subscriber of channel ${textOf(name)}`
      : flags & NOTE
        ? 'A member of a group'
        : flags & REPLIED
          ? 'The promise of a request'
          : `A listener of peer ${textOf(name)}`;
  if ((flags & REPLIED) === 0) batch.threw(err);
  batch.parts.trouble.threw(who + ' threw', err);
}

module.exports = apply;
