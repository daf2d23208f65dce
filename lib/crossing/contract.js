'use strict';

/**
 * What crosses between JavaScript and the part that carries messages: the letters, kinds and flags of its texts, and the class that
 * takes and gives these. docs/internals/crossing.md explains them, src/contract.rs has the same constants, and a test compares all three.
 */

/** What a line says: its first character. */
const LINES = {
  SEND: 's',
  SEND_PATIENTLY: 'l',
  REQUEST: 'q',
  REPLY: 'r',
  PUBLISH: 'p',
  QUESTION: 'n',
  STATE: 'k',
  JOB: 'j',
  PEERS: 'c',
  CHANNELS: 't',
  PATTERNS: 'w'
};

/** How a line carries its messages: its second character. */
const FORMS = { JSON_TEXT: '0', UNDEFINED: '1', STRING: '2', BUFFER: '3', UINT8_ARRAY: '4' };

/** In the place of the form: whether what a line names has come or gone. */
const CHANGES = { MORE: '+', LESS: '-' };

/** Events. */
const KINDS = {
  MESSAGES: 0,
  UNDEFINED_MESSAGES: 1,
  MESSAGES_BESIDE: 2,
  UINT8_ARRAYS_BESIDE: 3,
  LOOKUP: 4,
  SETTLED: 5,
  FAILED: 6,
  DONE: 7,
  CONNECTED: 8,
  DISCONNECTED: 9,
  LOCATED: 10,
  FORGOTTEN: 11,
  TIMER_STARTED: 12,
  TIMER_STOPPED: 13,
  NETWORK_ID: 14,
  LIST: 15,
  UNREACHABLE: 16,
  MEMBER: 18,
  DROPPED: 21,
  GAP: 22,
  RELIEVED: 23,
  SLOW: 24,
  PULSE: 25,
  STALLED: 26,
  ACCEPTED: 28,
  GONE: 29,
  URL_TAKEN: 30,
  MAY_DIAL: 31
};

/** Flags of the events that bring messages. */
const FLAGS = { NO_NAME: 1, NO_SENDER: 2, PUBLISHED: 4, REQUESTED: 8, REPLIED: 16, NOTE: 32, V1: 64 };

/** What became of a member, in the event MEMBER. */
const MEMBERSHIPS = { JOIN: 0, LEAVE: 1, DISCONNECT: 2, RECONNECT: 3 };

/** Replies to the questions of a batch. */
const REPLIES = { NO_SUCH_PEER: 0, THREW: 1, HERE: 2, IDS: 3, OVERLOADED: 4, DIAL: 5 };

/** What became of a request: in the line REPLY, and in events with the flag REPLIED. */
const OUTCOMES = { ANSWERED: 0, THREW: 1, NO_HANDLER: 2 };

/**
 * What carries the messages of one life of a host. The native class is one. `call` numbers what ends with the event DONE. Ids are JSON text, null
 * stands for undefined.
 * @typedef {object} Carrier
 * @property {string} id of the host, in this life
 * @property {number} framesSent
 * @property {(replies: string | null, ops: string | null, beside: any[] | null) => string | null} exchange says that the batch that the
 * last call gave is applied, with the replies to it; hands over lines; gives the next batch
 * @property {() => any[]} beside the values that belong to the batch that the last call gave, beside its text
 * @property {(questions: number, replies: string | null) => void} progress acknowledges a part of the batch
 * @property {() => string} purge gives the batch again without what is not JSON
 * @property {(ops: string, beside: any[] | null, more: boolean) => boolean} flush hands over lines; returns whether it is pressed
 * @property {() => boolean} isPressed whether it is better to publish no more for now
 * @property {() => boolean} isSeeking whether a lost host is just being dialled
 * @property {(to: string | null) => boolean} refuses whether a send to that peer would fail now, because its queue is full
 * @property {() => string} stats counters, as JSON
 * @property {(call: number) => void} drain accepts no new host; done when nothing is in flight
 * @property {(addresses: string[], required: number, port: number) => string} listen gives `{port}` or `{error}` as JSON
 * @property {() => void} closeServer
 * @property {(call: number, url: string) => void} join
 * @property {(url: string, authorization: string | null) => void} authorize
 * @property {(url: string, authorization: string) => void} forgetAuthorization
 * @property {(url: string) => void} retry goes on trying to join a url that could not be joined
 * @property {(call: number, id: string | null) => void} find
 * @property {(call: number) => void} ready
 * @property {(call: number, within: number | null) => void} close
 * @property {(key: string) => void} disconnect
 * @property {(key: string) => void} cancelTimer
 * @property {(url: string | null) => void} setUrl
 * @property {(json: string | null) => void} setNetworkId
 * @property {(options: string) => void} configure
 * @property {() => void} writeNow writes what can be written without waiting
 * @property {() => void} shutdown ends everything at once
 */

/** @typedef {new (options: string, wake: () => void, uv: boolean) => Carrier} CarrierClass `wake` is called when events begin to wait */

module.exports = { CHANGES, FLAGS, FORMS, KINDS, LINES, MEMBERSHIPS, OUTCOMES, REPLIES };
