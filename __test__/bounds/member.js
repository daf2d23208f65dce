'use strict';
// A member that is written by docs/internals/protocol-v2.md alone, and says whatever it is told to say. It shares no code with the library.

const crypto = require('node:crypto');
const { once } = require('node:events');
const WebSocket = require('ws');

/** Number of a record's kind. */
const KIND = {
  SEND: 1,
  PUBLISH: 2,
  ACK: 3,
  SEEN: 4,
  INTEREST: 5,
  SYNC: 6,
  SYNCED: 7,
  PLACE: 8,
  LOOK: 9,
  ASK: 10,
  FOUND: 11,
  NOTE: 12,
  GAP: 13,
  BEAT: 15,
  REQUEST: 18,
  REPLY: 19
};

/** The numbered ones. */
const NUMBERED = new Set([KIND.SEND, KIND.PUBLISH, KIND.NOTE, KIND.GAP, KIND.REQUEST, KIND.REPLY]);

/** Forms of a run. */
const FORM = { JSON: 0, UNDEFINED: 1, STRING: 2, BUFFER: 3, BYTES: 4 };

/** In groups of 7 bits, the lowest first. @param {number} value */
function num(value) {
  const bytes = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** @param {Buffer | string} content */
function blob(content) {
  const bytes = Buffer.from(content);
  return Buffer.concat([num(bytes.length), bytes]);
}

/** The id of a peer, or a channel. @param {any} value */
const id = (value) => (value === undefined ? num(0) : blob(JSON.stringify(value)));

/** @param {number} value */
const byte = (value) => Buffer.from([value]);

/** @param {number} kind @param {Buffer[]} parts */
function record(kind, ...parts) {
  const body = Buffer.concat(parts);
  return Buffer.concat([byte(kind), num(body.length), body]);
}

/** Several messages. @param {number} form @param {number} count @param {Buffer | string} [content] */
const run = (form, count, content = '') => Buffer.concat([byte(form), num(count), Buffer.from(content)]);

/** JSON texts. @param {...any} values */
const texts = (...values) => run(FORM.JSON, values.length, values.map((value) => JSON.stringify(value)).join());

/** @param {number} count */
const nothing = (count) => run(FORM.UNDEFINED, count);

/** @param {...Buffer} records */
const frame = (...records) => Buffer.concat([byte(0), ...records]);

/**
 * A connection of a stranger.
 * @param {string} url
 * @param {string} [localAddress] where it comes from
 */
async function stranger(url, localAddress) {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 1 << 30, localAddress });
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

/** A greeted host, that keeps to the protocol as long as nobody makes it do otherwise. */
class Member {
  /**
   * @param {string} url of the host that it joins
   * @param {{ hello?: object, window?: number, url?: string, from?: string, acknowledge?: boolean }} [options]
   */
  constructor(url, options = {}) {
    this.target = url;
    this.options = options;
    this.id = crypto.randomBytes(16).toString('hex');
    this.next = 1;
    this.asked = 0;
    /** How the connection was closed. @type {number | undefined} */
    this.code = undefined;
    /** Text frames. @type {any[]} */
    this.told = [];
    /** How many binary frames came. */
    this.frames = 0;
  }

  /** @param {string} url @param {ConstructorParameters<typeof Member>[1]} [options] */
  static async join(url, options) {
    const member = new Member(url, options);
    await member.connect();
    return member;
  }

  async connect() {
    const socket = await stranger(this.target, this.options.from);
    this.socket = socket;
    socket.on('close', (code) => {
      this.code = code;
    });
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.frames++;
      else this.told.push(JSON.parse(String(data)));
    });
    const session = {
      id: crypto.randomBytes(8).toString('hex'),
      new: true,
      received: 0,
      seen: 0,
      window: this.options.window ?? 8 << 20
    };
    const features = ['interest', 'directory', 'relay'];
    const host = { id: this.id, number: 1, versions: [2], features, session, ...this.options.hello };
    const params = { url: this.options.url, host };
    const answer = new Promise((resolve) => socket.once('message', resolve));
    socket.send(JSON.stringify({ id: 'hello', message: { method: 'greeting', params } }));
    await Promise.race([answer, once(socket, 'close')]);
  }

  get open() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** @param {Buffer | string} bytes */
  write(bytes) {
    if (!this.socket || !this.open) return Promise.resolve();
    const socket = this.socket;
    return new Promise((resolve) => socket.send(bytes, () => resolve(undefined)));
  }

  /** A text frame that wants an answer. @param {string} method @param {any} [params] */
  ask(method, params) {
    return this.write(JSON.stringify({ id: `q${++this.asked}`, message: { method, params } }));
  }

  /** A text frame that wants none. @param {string} method @param {any} [params] */
  tell(method, params) {
    return this.write(JSON.stringify({ message: { method, params } }));
  }

  /** Takes so many numbers. @param {number} count */
  numbers(count) {
    const first = this.next;
    this.next += count;
    return num(first);
  }

  /** @param {any} to @param {number} count @param {Buffer} messages @param {any} [from] */
  send(to, count, messages, from) {
    return record(KIND.SEND, this.numbers(count), id(to), id(from), messages);
  }

  /** @param {any} channel @param {number} count @param {Buffer} messages */
  publish(channel, count, messages) {
    return record(KIND.PUBLISH, this.numbers(count), id(channel), messages);
  }

  /** @param {string} head @param {Buffer} [messages] @param {number} [count] */
  note(head, messages = texts(null), count = 1) {
    return record(KIND.NOTE, this.numbers(count), id(head), messages);
  }

  /** @param {any} to @param {number} count @param {Buffer} messages */
  request(to, count, messages) {
    const request = this.asked + 1;
    this.asked += count;
    return record(KIND.REQUEST, this.numbers(count), id(to), id('me'), num(request), messages);
  }

  /** @param {number} flags @param {[string, number][]} changes name and flags */
  interest(flags, changes) {
    const parts = changes.flatMap(([name, how]) => [byte(how), blob(name)]);
    return record(KIND.INTEREST, byte(flags), Buffer.concat(parts));
  }

  /** Does not read any more. */
  pause() {
    this.socket?.pause();
  }

  /** Is killed. */
  end() {
    this.socket?.terminate();
  }
}

module.exports = { FORM, KIND, NUMBERED, Member, blob, byte, frame, id, nothing, num, record, run, stranger, texts };
