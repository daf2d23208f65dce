'use strict';

const { fromFailure, textOf, urlTaken } = require('./errors.js');
const { now } = require('./platform.js');

/** Kinds of events, see docs/ARCHITECTURE.md. */
const MESSAGES = 0;
const UNDEFINED_MESSAGES = 1;
const MESSAGES_BESIDE = 2;
const UINT8_ARRAYS_BESIDE = 3;
const LOOKUP = 4;
const SETTLED = 5;
const FAILED = 6;
const DONE = 7;
const CONNECTED = 8;
const DISCONNECTED = 9;
const LOCATED = 10;
const FORGOTTEN = 11;
const TIMER_STARTED = 12;
const TIMER_STOPPED = 13;
const NETWORK_ID = 14;
const LIST = 15;
const UNREACHABLE = 16;
const MEMBER = 18;
const DROPPED = 21;
const GAP = 22;
const RELIEVED = 23;
const SLOW = 24;
const PULSE = 25;
const STALLED = 26;
const ACCEPTED = 28;
const GONE = 29;
const URL_TAKEN = 30;

/** A change of a member, see lib/members.js. */
const LEAVE = 1;

/** Flags of messages. */
const NO_NAME = 1;
const NO_SENDER = 2;
const PUBLISHED = 4;
const REQUESTED = 8;
const REPLIED = 16;
const NOTE = 32;
const ORIGINAL = 64;

/** Kinds of replies. */
const NO_SUCH_PEER = 0;
const THREW = 1;
const HERE = 2;
const IDS = 3;

/** Acknowledgements do not wait longer than this for the listeners of later messages, in ms. */
const MAX_SILENCE = 5;

/**
 * A batch of events that is being applied.
 */
class Batch {
  /**
   * @param {import('./core.js')} core
   * @param {import('./load.js').NativeHost} native
   */
  constructor(core, native) {
    this.core = core;
    this.native = native;
    this.question = 0;
    /** @type {any[]} */
    this.replies = [];
    /** @type {any[] | null} */
    this.beside = null;
    this.nextBeside = 0;
    // When to look at the clock again: that is not free, so it is done rarely while listeners are quick.
    this.interval = 1;
    this.untilCheck = 1;
    this.since = now();
  }

  /** A message has been taken by its listeners. */
  next() {
    this.question++;
    if (--this.untilCheck === 0) this.check();
  }

  check() {
    const elapsed = now() - this.since;
    if (elapsed >= MAX_SILENCE) {
      this.native.progress(this.question, this.takeReplies());
      this.since = now();
      this.interval = 1;
    } else if (this.interval < 64) {
      this.interval *= 2;
    }
    this.untilCheck = this.interval;
  }

  takeReplies() {
    if (this.replies.length === 0) return null;
    const text = JSON.stringify(this.replies);
    this.replies = [];
    return text;
  }

  /** @returns {any} the next value that came beside the text */
  takeBeside() {
    this.beside ??= this.native.beside();
    return this.beside[this.nextBeside++];
  }
}

/**
 * Applies a batch of events, in order.
 * @param {import('./core.js')} core
 * @param {import('./load.js').NativeHost} native
 * @param {string} text
 * @returns {string | null} the replies
 */
function apply(core, native, text) {
  const events = parse(native, text);
  const batch = new Batch(core, native);
  const { length } = events;
  let i = 0;
  while (i < length) {
    const kind = events[i++];
    switch (kind) {
      case MESSAGES:
      case UNDEFINED_MESSAGES:
      case MESSAGES_BESIDE:
      case UINT8_ARRAYS_BESIDE: {
        const flags = events[i];
        const name = flags & NO_NAME ? undefined : events[i + 1];
        const from = flags & NO_SENDER ? undefined : events[i + 2];
        const messages = events[i + 3];
        i += 4;
        const count = kind === MESSAGES ? messages.length : messages;
        for (let n = 0; n < count; n++) {
          const message = kind === MESSAGES ? messages[n] : kind === UNDEFINED_MESSAGES ? undefined
            : kind === MESSAGES_BESIDE ? batch.takeBeside() : new Uint8Array(batch.takeBeside());
          if (flags & PUBLISHED) publish(batch, name, message, (flags & ORIGINAL) !== 0);
          else if (flags < REQUESTED) deliver(batch, name, from, message);
          else if (flags & REQUESTED) ask(batch, name, from, message, events[i + 1], events[i] + n);
          else if (flags & REPLIED) core.requests.replied(name + n, from, message);
          else if (flags & NOTE) note(batch, from, name, message);
          batch.next();
        }
        if (flags & REQUESTED) i += 2;
        break;
      }
      case LOOKUP: {
        const id = events[i++] ? events[i] : undefined;
        i++;
        if (core.peer(id) !== undefined) batch.replies.push(batch.question, HERE);
        batch.question++;
        break;
      }
      case LIST:
        batch.replies.push(batch.question++, IDS, core.localIds());
        break;
      case SETTLED:
        core.resolveSends(events[i], events[i + 1]);
        i += 2;
        break;
      case FAILED: {
        core.failSend(events[i], events[i + 1]);
        i += 2;
        break;
      }
      case DONE: {
        const call = events[i++];
        const ok = events[i++];
        const value = events[i++];
        if (ok) core.settle(call, value);
        else core.settle(call, undefined, fromFailure(value));
        break;
      }
      case CONNECTED:
        core.mirror.connected(events[i], events[i + 1], events[i + 2]);
        i += 3;
        break;
      case DISCONNECTED:
        core.mirror.disconnected(events[i++]);
        break;
      case LOCATED:
        core.mirror.located(events[i], events[i + 1]);
        i += 2;
        break;
      case FORGOTTEN:
        core.mirror.forgotten(events[i++]);
        break;
      case TIMER_STARTED:
        core.mirror.timerStarted(events[i++]);
        break;
      case TIMER_STOPPED:
        core.mirror.timerStopped(events[i++]);
        break;
      case NETWORK_ID:
        core.mirror.networkIdTaken(events[i] ? events[i + 1] : undefined);
        i += 2;
        break;
      case ACCEPTED:
        core.requests.accepted(events[i], events[i + 1], events[i + 2]);
        i += 3;
        break;
      case GONE:
        core.requests.gone(events[i++]);
        break;
      case DROPPED:
        core.dropped(events[i], events[i + 1] ? events[i + 2] : undefined, events[i + 3]);
        i += 4;
        break;
      case GAP:
        core.events.emit('gap', events[i], events[i + 1]);
        i += 2;
        break;
      case RELIEVED:
        core.relieved();
        break;
      case SLOW:
        core.events.emit('slow', events[i++]);
        break;
      case PULSE:
        break; // that it is taken says enough
      case STALLED:
        core.events.emit('stalled', events[i], events[i + 1], events[i + 2]);
        i += 3;
        break;
      case URL_TAKEN:
        core.trouble.tell(urlTaken(events[i], Boolean(events[i + 1])));
        i += 2;
        break;
      case UNREACHABLE:
        core.unreachable(events[i], fromFailure(events[i + 1]));
        i += 2;
        break;
      case MEMBER:
        core.members.apply(events[i], events[i + 1], events[i + 2]);
        if (events[i] === LEAVE && events[i + 2] !== null) core.notes.gone(events[i + 2]);
        i += 3;
        break;
      default:
        throw new Error('distribus: native part and JavaScript do not match');
    }
  }
  return batch.takeReplies();
}

/**
 * @param {import('./load.js').NativeHost} native
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
  const peer = batch.core.peer(to);
  if (peer === undefined) {
    batch.replies.push(batch.question, NO_SUCH_PEER);
    return;
  }
  try {
    peer.emit('message', from, message);
  } catch (err) {
    batch.replies.push(batch.question, THREW, textOf(err));
    batch.core.report(`A listener of peer ${textOf(to)} threw`, err);
  }
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
  const peer = batch.core.peer(to);
  if (peer === undefined) batch.replies.push(batch.question, NO_SUCH_PEER);
  else batch.core.requests.serve(peer, from, message, host, number);
}

/**
 * @param {Batch} batch
 * @param {string} host
 * @param {any} head
 * @param {any} message
 */
function note(batch, host, head, message) {
  try {
    if (!batch.core.notes.take(host, head, message)) batch.replies.push(batch.question, NO_SUCH_PEER);
  } catch (err) {
    batch.replies.push(batch.question, THREW, textOf(err));
    batch.core.report('A member of a group threw', err);
  }
}

/**
 * @param {Batch} batch
 * @param {any} channel
 * @param {any} message
 * @param {boolean} original from an original host
 */
function publish(batch, channel, message, original) {
  const { core } = batch;
  try {
    core.subscriptions.publish(channel, message);
    if (original && core.notes.groups.busy) core.notes.groups.publishedByOriginal(String(channel), message);
  } catch (err) {
    batch.replies.push(batch.question, THREW, textOf(err));
    batch.core.report(`A subscriber of channel ${textOf(channel)} threw`, err);
  }
}

module.exports = apply;
