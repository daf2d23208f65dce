'use strict';

const Batch = require('./batch.js');
const { FLAGS, KINDS, MEMBERSHIPS } = require('./contract.js');
const { fromFailure, textOf, urlTaken } = require('../common/errors.js');

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
  URL_TAKEN
} = KINDS;
const { NO_NAME, NO_SENDER, PUBLISHED, REQUESTED, REPLIED, NOTE, V1 } = FLAGS;
const { LEAVE } = MEMBERSHIPS;

/**
 * Applies a batch of events, in order. Listeners are called and what programs see is changed, and anything that belongs to a program may
 * throw: then that one event, or that one message, has failed; the program is told, and the next one is applied.
 * @param {import('../host/core.js')} core
 * @param {import('./contract.js').Carrier} native
 * @param {string} text
 * @returns {string | null} the replies
 */
function apply(core, native, text) {
  const batch = new Batch(core, native, parse(native, text));
  const { length } = batch.events;
  while (batch.at < length) {
    try {
      while (batch.at < length) applyNext(batch);
    } catch (err) {
      core.trouble.threw('An event of the network could not be applied', err);
    }
  }
  if (batch.at > length) throw new Error('distribus: native part and JavaScript do not match');
  return batch.takeReplies();
}

/** How many values come after the kind of an event. Those of messages are not here. @type {Record<number, number>} */
const WIDTHS = {
  [LOOKUP]: 2,
  [LIST]: 0,
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

/** @param {Batch} batch whose next event is applied; it is behind us whatever happens */
function applyNext(batch) {
  const { events } = batch;
  const kind = events[batch.at];
  const at = batch.at + 1;
  if (kind <= UINT8_ARRAYS_BESIDE) {
    batch.at = at + (events[at] & REQUESTED ? 6 : 4);
    messages(batch, kind, at);
    return;
  }
  batch.at = at + (WIDTHS[kind] ?? Infinity);
  applyEvent(batch.core, batch, kind, at);
}

/**
 * Applies a run of messages.
 * @param {Batch} batch
 * @param {number} kind
 * @param {number} at
 */
function messages(batch, kind, at) {
  const { core, events } = batch;
  const flags = events[at];
  const name = flags & NO_NAME ? undefined : events[at + 1];
  const from = flags & NO_SENDER ? undefined : events[at + 2];
  const texts = events[at + 3];
  const count = kind === MESSAGES ? texts.length : texts;
  for (let n = 0; n < count; n++) {
    try {
      const message =
        kind === MESSAGES
          ? texts[n]
          : kind === UNDEFINED_MESSAGES
            ? undefined
            : kind === MESSAGES_BESIDE
              ? batch.takeBeside()
              : new Uint8Array(batch.takeBeside());
      if (flags & PUBLISHED) publish(core, name, message, (flags & V1) !== 0);
      else if (flags < REQUESTED) deliver(batch, name, from, message);
      else if (flags & REQUESTED) ask(batch, name, from, message, events[at + 5], events[at + 4] + n);
      else if (flags & REPLIED) core.requests.replied(name + n, from, message);
      else if (flags & NOTE) note(batch, from, name, message);
    } catch (err) {
      threw(batch, flags, name, err);
    }
    batch.next();
  }
}

/**
 * @param {import('../host/core.js')} core
 * @param {Batch} batch
 * @param {number} kind
 * @param {number} at where the event's values begin
 */
function applyEvent(core, batch, kind, at) {
  const { events } = batch;
  const first = events[at];
  const second = events[at + 1];
  const third = events[at + 2];
  switch (kind) {
    case LOOKUP:
      if (core.residents.get(first ? second : undefined) !== undefined) batch.here();
      batch.question++;
      break;
    case LIST:
      batch.list(JSON.stringify(core.residents.told()));
      batch.question++;
      break;
    case SETTLED:
      core.sends.delivered(first, second);
      break;
    case FAILED:
      core.sends.failed(first, second);
      break;
    case DONE:
      if (second) core.calls.succeed(first, third);
      else core.calls.fail(first, fromFailure(third));
      break;
    case CONNECTED:
      core.mirror.connected(first, second, third);
      break;
    case DISCONNECTED:
      core.mirror.disconnected(first);
      break;
    case LOCATED:
      core.mirror.located(first, second);
      break;
    case FORGOTTEN:
      core.mirror.forgotten(first);
      break;
    case TIMER_STARTED:
      core.mirror.timerStarted(first);
      break;
    case TIMER_STOPPED:
      core.mirror.timerStopped(first);
      break;
    case NETWORK_ID:
      core.mirror.networkIdTaken(first ? second : undefined);
      break;
    case ACCEPTED:
      core.requests.accepted(first, second, third);
      break;
    case GONE:
      core.requests.gone(first);
      break;
    case DROPPED:
      core.trouble.dropped(first, second ? third : undefined, events[at + 3]);
      break;
    case GAP:
      core.events.emit('gap', first, second);
      break;
    case RELIEVED:
      core.relieved();
      break;
    case SLOW:
      core.events.emit('slow', first);
      break;
    case STALLED:
      core.events.emit('stalled', first, second, third);
      break;
    case URL_TAKEN:
      core.trouble.tell(urlTaken(first, Boolean(second)));
      break;
    case UNREACHABLE:
      core.members.unreachable(first, fromFailure(second));
      break;
    case MEMBER:
      core.members.apply(first, second, third);
      if (first === LEAVE && third !== null) core.left(third);
      break;
    default: // PULSE: that it is taken says enough
  }
}

/**
 * @param {import('./contract.js').Carrier} native
 * @param {string} text
 * @returns {any[]}
 */
function parse(native, text) {
  try {
    return JSON.parse(text);
  } catch {
    // Another host sends what is not JSON: it is found and left out, and everybody else's messages stay.
    return JSON.parse(native.purge());
  }
}

/**
 * @param {Batch} batch
 * @param {any} to
 * @param {any} from
 * @param {any} message
 */
function deliver(batch, to, from, message) {
  const peer = batch.core.residents.get(to);
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
  const peer = batch.core.residents.get(to);
  if (peer === undefined) batch.miss();
  else batch.core.requests.serve(peer, to, from, message, host, number);
}

/**
 * @param {Batch} batch
 * @param {string} host
 * @param {any} head
 * @param {any} message
 */
function note(batch, host, head, message) {
  if (!batch.core.notes.take(host, head, message)) batch.miss();
}

/**
 * @param {import('../host/core.js')} core
 * @param {any} channel
 * @param {any} message
 * @param {boolean} fromV1 from a 0.4.0 host
 */
function publish(core, channel, message, fromV1) {
  core.subscriptions.publish(channel, message);
  if (fromV1 && core.notes.groups.busy) core.notes.groups.publishedByV1(String(channel), message);
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
  batch.core.trouble.threw(who + ' threw', err);
}

module.exports = apply;
