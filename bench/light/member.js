'use strict';

// What a host that does not listen says to the one that it joins (docs/internals/protocol-v2.md): a greeting, one interest, and
// an acknowledgement of what has come together. It relays nothing, so members of this kind do not meet each other.

const crypto = require('node:crypto');
const { OPCODE, connect } = require('./websocket.js');

const KIND = { PUBLISH: 2, ACK: 3, INTEREST: 5, NOTE: 12 };
/** Other kinds that are numbered: SEND, GAP, REQUEST and REPLY. */
const UNEXPECTED = [1, 13, 18, 19];
const WINDOW = 8 << 20;
const WHOLE = 1;
const JSON_TEXTS = 0;

/** A number, in groups of 7 bits. @param {number} value */
function num(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}

/**
 * A frame with one record.
 * @param {number} kind
 * @param {...Buffer} parts
 */
function record(kind, ...parts) {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([0, kind]), num(body.length), body]);
}

/** Goes through the bytes of a frame. */
class Reader {
  /** @param {Buffer} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  byte() {
    return this.bytes[this.at++];
  }

  num() {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  blob() {
    const length = this.num();
    this.at += length;
    return this.bytes.toString('latin1', this.at - length, this.at);
  }

  /** @param {number} end */
  texts(end) {
    const text = this.bytes.toString('latin1', this.at, end);
    this.at = end;
    return JSON.parse(`[${text}]`);
  }
}

/**
 * What a frame of binary records publishes on the wanted channel goes to the callback. Gives the number up to which the frame's
 * messages are to be acknowledged, or 0.
 * @param {Buffer} payload
 * @param {string} wanted the JSON text of the channel
 * @param {(message: any) => void} callback
 */
function read(payload, wanted, callback) {
  const reader = new Reader(payload);
  let upto = 0;
  reader.byte();
  while (reader.at < payload.length) {
    const kind = reader.byte();
    const length = reader.num();
    const end = reader.at + length;
    if (UNEXPECTED.includes(kind)) throw new Error(`A record of kind ${kind} came`);
    if (kind === KIND.PUBLISH || kind === KIND.NOTE) {
      const first = reader.num();
      const name = reader.blob();
      const form = reader.byte();
      upto = first + reader.num() - 1;
      if (kind === KIND.PUBLISH && name === wanted) {
        if (form !== JSON_TEXTS) throw new Error(`A run of form ${form} came`);
        for (const message of reader.texts(end)) callback(message);
      }
    }
    reader.at = end;
  }
  return upto;
}

const greeting = () => ({
  id: 'hello',
  message: {
    method: 'greeting',
    params: {
      host: {
        id: crypto.randomBytes(16).toString('hex'),
        number: 1,
        versions: [2],
        features: ['interest'],
        session: { id: crypto.randomBytes(8).toString('hex'), new: true, received: 0, seen: 0, window: WINDOW }
      }
    }
  }
});

/**
 * Joins a host, and subscribes there to one channel.
 * @param {string} url
 * @param {string} channel
 * @param {(message: any) => void} callback
 */
module.exports = async function subscribe(url, channel, callback) {
  const connection = await connect(url);
  const wanted = JSON.stringify(channel);
  let upto = 0;
  let acknowledged = 0;
  await new Promise((/** @type {(value?: any) => void} */ resolve, reject) => {
    connection.onMessage = (opcode, payload) => {
      if (opcode === OPCODE.BINARY) {
        upto = read(payload, wanted, callback) || upto;
        return;
      }
      const { id, message, error } = JSON.parse(String(payload));
      if (id !== 'hello') return;
      if (message?.host?.version === 2) resolve();
      else reject(new Error(`The host answered ${JSON.stringify(message ?? error)}`));
    };
    connection.onPause = () => {
      if (upto === acknowledged) return;
      acknowledged = upto;
      connection.write(OPCODE.BINARY, record(KIND.ACK, num(upto), num(WINDOW)));
    };
    connection.write(OPCODE.TEXT, Buffer.from(JSON.stringify(greeting())));
  });
  const name = Buffer.from(channel);
  connection.write(OPCODE.BINARY, record(KIND.INTEREST, Buffer.from([WHOLE, 0]), num(name.length), name));
};
