'use strict';

// The client's end of a WebSocket that costs as little as it can, so that one process has thousands of them. It knows whole
// frames only, and does not verify the handshake's key.

const crypto = require('node:crypto');
const net = require('node:net');

const OPCODE = { TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };

/** Frames of clients are masked. With a mask of zeros the payload stays as it is. */
const MASK = Buffer.alloc(4);

/** The longest payload whose length fits into the first two bytes. */
const SHORT = 125;

/**
 * @param {number} opcode
 * @param {Buffer} payload of less than 64 KiB
 */
function frame(opcode, payload) {
  const { length } = payload;
  const head = length <= SHORT ? [0x80 | opcode, 0x80 | length] : [0x80 | opcode, 0xfe, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), MASK, payload]);
}

/**
 * The first frame of some bytes, and where the next one begins; null when it is not complete.
 * @param {Buffer} bytes
 * @param {number} at
 */
function frameAt(bytes, at) {
  if (bytes.length < at + 2) return null;
  const short = bytes[at + 1] & 0x7f;
  const head = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < at + head) return null;
  const length = head === 4 ? bytes.readUInt16BE(at + 2) : head === 10 ? bytes.readUIntBE(at + 4, 6) : short;
  const end = at + head + length;
  if (bytes.length < end) return null;
  if ((bytes[at] & 0x80) === 0) throw new Error('A frame in several parts came');
  return { opcode: bytes[at] & 0x0f, payload: bytes.subarray(at + head, end), end };
}

class Connection {
  /** @param {net.Socket} socket */
  constructor(socket) {
    this.socket = socket;
    /** The beginning of a frame that is not complete. @type {Buffer} */
    this.rest = Buffer.alloc(0);
    /** Takes what came. @type {(opcode: number, payload: Buffer) => void} */
    this.onMessage = () => {};
    /** Called after all that has come together. */
    this.onPause = () => {};
  }

  /**
   * @param {number} opcode
   * @param {Buffer} payload
   */
  write(opcode, payload) {
    this.socket.write(frame(opcode, payload));
  }

  /** @param {Buffer} data */
  take(data) {
    const bytes = this.rest.length === 0 ? data : Buffer.concat([this.rest, data]);
    let at = 0;
    for (let next = frameAt(bytes, at); next !== null; next = frameAt(bytes, at)) {
      at = next.end;
      if (next.opcode === OPCODE.PING) this.write(OPCODE.PONG, next.payload);
      else if (next.opcode !== OPCODE.CLOSE) this.onMessage(next.opcode, next.payload);
    }
    this.rest = bytes.subarray(at);
    this.onPause();
  }
}

/**
 * @param {string} url
 * @returns {Promise<Connection>}
 */
function connect(url) {
  const { hostname, port, host } = new URL(url);
  const socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
  const key = crypto.randomBytes(16).toString('base64');
  socket.write(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`
  );
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const onHead = (/** @type {Buffer} */ data) => {
      head = Buffer.concat([head, data]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      const status = head.toString('latin1', 0, head.indexOf('\r\n'));
      if (!status.startsWith('HTTP/1.1 101')) return reject(new Error(`The server answered ${status}`));
      const connection = new Connection(socket);
      socket.off('data', onHead).on('data', (more) => connection.take(more));
      resolve(connection);
      const rest = head.subarray(end + 4);
      if (rest.length > 0) setImmediate(() => connection.take(rest));
    };
    socket
      .on('data', onHead)
      .on('error', reject)
      .on('close', () => {
        throw new Error('A connection was lost');
      });
  });
}

module.exports = { OPCODE, connect };
