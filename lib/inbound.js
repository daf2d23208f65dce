'use strict';

const { fromFailure } = require('./errors.js');

/** Kinds of events, see docs/ARCHITECTURE.md. */
const DELIVER = 0;
const DELIVER_SPARSE = 1;
const PUBLISH = 2;
const PUBLISH_SPARSE = 3;
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

/** Kinds of replies. */
const NO_SUCH_PEER = 0;
const THREW = 1;
const HERE = 2;
const IDS = 3;

/**
 * Applies a batch of events, in order.
 * @param {import('./core.js')} core
 * @param {string} text
 * @returns {string | null} the replies
 */
function apply(core, text) {
  const batch = JSON.parse(text);
  /** @type {any[]} */
  const replies = [];
  const { length } = batch;
  let question = 0;
  let i = 0;
  while (i < length) {
    switch (batch[i++]) {
      case DELIVER: {
        const to = batch[i++];
        const from = batch[i++];
        for (const end = i + 1 + batch[i++]; i < end; i++) deliver(core, question++, to, from, batch[i], replies);
        break;
      }
      case DELIVER_SPARSE: {
        const flags = batch[i++];
        const to = flags & 1 ? batch[i] : undefined;
        const from = flags & 2 ? batch[i + 1] : undefined;
        const message = flags & 4 ? batch[i + 2] : undefined;
        i += 3;
        deliver(core, question++, to, from, message, replies);
        break;
      }
      case PUBLISH: {
        const channel = batch[i++];
        for (const end = i + 1 + batch[i++]; i < end; i++) publish(core, question++, channel, batch[i], replies);
        break;
      }
      case PUBLISH_SPARSE: {
        const flags = batch[i++];
        const channel = flags & 1 ? batch[i] : undefined;
        const message = flags & 4 ? batch[i + 1] : undefined;
        i += 2;
        publish(core, question++, channel, message, replies);
        break;
      }
      case LOOKUP: {
        const id = batch[i++] ? batch[i] : undefined;
        i++;
        if (core.peer(id) !== undefined) replies.push(question, HERE);
        question++;
        break;
      }
      case LIST:
        replies.push(question++, IDS, core.localIds());
        break;
      case SETTLED: {
        const end = batch[i] + batch[i + 1];
        for (let seq = batch[i]; seq < end; seq++) core.sends.take(seq)?.resolve(null);
        i += 2;
        break;
      }
      case FAILED: {
        const send = core.sends.take(batch[i++]);
        const failure = batch[i++];
        if (failure.code === 'ERR_LISTENER_THREW') send?.resolve(undefined);
        else send?.reject(fromFailure(failure));
        break;
      }
      case DONE: {
        const call = batch[i++];
        const ok = batch[i++];
        const value = batch[i++];
        if (ok) core.settle(call, value);
        else core.settle(call, undefined, fromFailure(value));
        break;
      }
      case CONNECTED:
        core.connected(batch[i], batch[i + 1]);
        i += 2;
        break;
      case DISCONNECTED:
        core.disconnected(batch[i++]);
        break;
      case LOCATED:
        core.located(batch[i], batch[i + 1]);
        i += 2;
        break;
      case FORGOTTEN:
        core.forgotten(batch[i++]);
        break;
      case TIMER_STARTED:
        core.timerStarted(batch[i++]);
        break;
      case TIMER_STOPPED:
        core.timerStopped(batch[i++]);
        break;
      case NETWORK_ID:
        core.networkIdTaken(batch[i] ? batch[i + 1] : undefined);
        i += 2;
        break;
      default:
        throw new Error('distribus: native part and JavaScript do not match');
    }
  }
  return replies.length === 0 ? null : JSON.stringify(replies);
}

/**
 * @param {import('./core.js')} core
 * @param {number} question
 * @param {any} to
 * @param {any} from
 * @param {any} message
 * @param {any[]} replies
 */
function deliver(core, question, to, from, message, replies) {
  const peer = core.peer(to);
  if (peer === undefined) {
    replies.push(question, NO_SUCH_PEER);
    return;
  }
  try {
    peer.emit('message', from, message);
  } catch (err) {
    replies.push(question, THREW, textOf(err));
    core.report(`A listener of peer ${textOf(to)} threw`, err);
  }
}

/**
 * @param {import('./core.js')} core
 * @param {number} question
 * @param {any} channel
 * @param {any} message
 * @param {any[]} replies
 */
function publish(core, question, channel, message, replies) {
  try {
    core.publishHere(channel, message);
  } catch (err) {
    replies.push(question, THREW, textOf(err));
    core.report(`A subscriber of channel ${textOf(channel)} threw`, err);
  }
}

/**
 * @param {any} err
 * @returns {string}
 */
function textOf(err) {
  try {
    return String((err && err.message) || err);
  } catch {
    return 'unknown error';
  }
}

module.exports = apply;
