'use strict';
// Bad inputs, by hand, over a raw socket. Each of them is answered, ignored, or ends its own connection, within a second; other connections
// and the host's neighbours do not notice.

const test = require('node:test');
const assert = require('node:assert');
const crypto = require('node:crypto');
const net = require('node:net');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const { UPGRADE, ours, until } = require('./support.js');

const head = (...lines) => `${lines.join('\r\n')}\r\n\r\n`;
const without = (line) => head(...UPGRADE.filter((other) => !other.startsWith(line)));

/**
 * A frame of a client.
 * @param {number} first the header's first byte: fin, reserved bits, opcode
 * @param {Buffer | string} payload
 */
function frame(first, payload) {
  const bytes = Buffer.from(payload);
  const length = bytes.length < 126 ? Buffer.from([0x80 | bytes.length]) : Buffer.alloc(bytes.length < 65536 ? 3 : 9);
  if (length.length === 3) length.writeUInt16BE(bytes.length, 1);
  if (length.length === 9) length.writeBigUInt64BE(BigInt(bytes.length), 1);
  if (length.length > 1) length[0] = 0x80 | (length.length === 3 ? 126 : 127);
  // A mask of zeros changes nothing.
  return Buffer.concat([Buffer.from([first]), length, Buffer.alloc(4), bytes]);
}

const text = (payload) => frame(0x81, payload);
const binary = (payload) => frame(0x82, payload);
const raw = (...bytes) => Buffer.from(bytes);
const request = (method, params, id = 1) => text(JSON.stringify({ id, message: { method, params } }));

/** One raw connection: what came over it, as text until the upgrade, as frames after it. */
class Raw {
  constructor(port) {
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.on('error', () => {});
    this.bytes = Buffer.alloc(0);
    this.closed = false;
    this.frames = [];
    this.upgraded = false;
    this.socket.on('data', (data) => {
      this.bytes = Buffer.concat([this.bytes, data]);
      if (this.upgraded) this.cut();
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  write(bytes) {
    this.socket.write(bytes);
  }

  async upgrade() {
    this.write(head(...UPGRADE));
    await soon(() => this.bytes.includes('\r\n\r\n'), 'the upgrade');
    assert.match(String(this.bytes), /^HTTP\/1.1 101 /);
    this.bytes = this.bytes.subarray(this.bytes.indexOf('\r\n\r\n') + 4);
    this.upgraded = true;
    this.cut();
  }

  /** Cuts what came into frames. */
  cut() {
    for (;;) {
      if (this.bytes.length < 2) return;
      let length = this.bytes[1];
      let at = 2;
      if (length === 126) {
        if (this.bytes.length < 4) return;
        length = this.bytes.readUInt16BE(2);
        at = 4;
      } else if (length === 127) {
        if (this.bytes.length < 10) return;
        length = Number(this.bytes.readBigUInt64BE(2));
        at = 10;
      }
      if (this.bytes.length < at + length) return;
      this.frames.push({ opcode: this.bytes[0] & 15, payload: this.bytes.subarray(at, at + length) });
      this.bytes = this.bytes.subarray(at + length);
    }
  }

  texts() {
    return this.frames.filter((f) => f.opcode === 1).map((f) => String(f.payload));
  }

  /** With which code the host has closed. */
  get code() {
    const close = this.frames.find((f) => f.opcode === 8);
    return close && (close.payload.length >= 2 ? close.payload.readUInt16BE(0) : 1005);
  }

  async ping(id) {
    this.write(request('ping', id, id));
    await soon(() => this.texts().some((t) => t.includes(`"result":${JSON.stringify(id)}`)), 'the answer to a ping');
  }
}

async function soon(condition, what) {
  const start = performance.now();
  while (!condition()) {
    // Sooner than the handshake timeout, which would end much of this as well.
    assert.ok(performance.now() - start < 4000, `${what} did not come within four seconds`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

// What is expected of a connection.

/** A plain answer, and the end. */
const refused = (status) => async (stranger) => {
  await soon(() => stranger.closed, 'the end');
  assert.match(String(stranger.bytes), new RegExp(`^HTTP/1.1 ${status}`));
};
/** Nothing yet: the host waits for more, for five seconds at most. */
const waited = async (stranger) => {
  assert.ok(!stranger.closed && stranger.code === undefined);
};
/** What was asked before is answered before the close frame, after which nothing can be said. */
const answeredThenClosed = (code) => async (stranger) => {
  await closed(code)(stranger);
  assert.deepStrictEqual(
    stranger.frames.map(({ opcode }) => opcode),
    [1, 8]
  );
};
const closed = (code) => async (stranger) => {
  await soon(() => stranger.code !== undefined, 'the close frame');
  assert.strictEqual(stranger.code, code);
  await soon(() => stranger.closed, 'the end');
};
/** No harm done: the same connection can go on. */
const ignored = async (stranger) => {
  const before = stranger.texts().length;
  await stranger.ping('after all');
  assert.strictEqual(stranger.texts().length, before + 1, 'nothing but the ping is answered');
};
const answered = (pattern) => async (stranger) => {
  await soon(() => stranger.texts().some((t) => pattern.test(t)), `an answer ${pattern}`);
  await stranger.ping('after all');
};

const http = {
  'control characters': ['\u0001\u0002\r\n\r\n', refused(400)],
  'a word': ['HELLO\r\n\r\n', refused(400)],
  'a TLS handshake': [raw(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0), refused(400)],
  'the preface of HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', refused(400)],
  'a header with a space in its name': [head('GET / HTTP/1.1', 'a b: c'), refused(400)],
  'a header with a NUL': [head('GET / HTTP/1.1', 'a: \0'), refused(400)],
  '10,000 headers': [head('GET / HTTP/1.1', ...Array(10_000).fill('a: b')), refused(200)],
  'a header of 60 KB': [head('GET / HTTP/1.1', `a: ${'b'.repeat(60_000)}`), refused(200)],
  'a header of 70 KB': [head('GET / HTTP/1.1', `a: ${'b'.repeat(70_000)}`), refused(431)],
  'a header of 700 KB': [head('GET / HTTP/1.1', `a: ${'b'.repeat(700_000)}`), refused(431)],
  '20,000 headers': [head('GET / HTTP/1.1', ...Array(20_000).fill('a: b')), refused(431)],
  'a plain request': [head('GET / HTTP/1.1', 'Host: a'), refused(200)],
  'a plain request with a body': [`${head('POST / HTTP/1.1', 'Content-Length: 9')}123456789`, refused(200)],
  'an upgrade to something else': [head('GET / HTTP/1.1', 'Upgrade: h2c', 'Connection: Upgrade'), refused(200)],
  'an upgrade by POST': [head('POST /any HTTP/1.1', ...UPGRADE.slice(1)), refused(400)],
  'an upgrade without key': [without('Sec-WebSocket-Key'), refused(400)],
  'an upgrade without Connection': [without('Connection'), refused(400)],
  'an upgrade without version': [without('Sec-WebSocket-Version'), refused(426)],
  'an upgrade of version 99': [
    head(...UPGRADE.slice(0, 5), 'Sec-WebSocket-Version: 99'),
    refused('426 [^]*\r\nSec-WebSocket-Version: 13\r\n')
  ],
  'an upgrade of version 8': [
    head(...UPGRADE.slice(0, 5), 'Sec-WebSocket-Version: 8'),
    refused('426 [^]*\r\nSec-WebSocket-Version: 13\r\n')
  ],
  'a plain request with a body that goes on': [
    `${head('POST / HTTP/1.1', 'Content-Length: 500000')}${'1'.repeat(500_000)}`,
    refused(200)
  ],
  nothing: ['', waited],
  'half an upgrade': [head(...UPGRADE).slice(0, 90), waited],
  'half a line break': [`${head(...UPGRADE).slice(0, -1)}`, waited]
};

const CLAIM = (first, length) => {
  const bytes = Buffer.alloc(14);
  bytes[0] = first;
  bytes[1] = 0xff;
  bytes.writeBigUInt64BE(length, 2);
  return bytes;
};

const sockets = {
  'a frame without mask': [raw(0x81, 1, 0x41), closed(1002)],
  'the first reserved bit': [frame(0xc1, 'a'), closed(1002)],
  'the second reserved bit': [frame(0xa1, 'a'), closed(1002)],
  'the third reserved bit': [frame(0x91, 'a'), closed(1002)],
  'opcode 3': [frame(0x83, 'a'), closed(1002)],
  'opcode 7': [frame(0x87, ''), closed(1002)],
  'opcode 11': [frame(0x8b, ''), closed(1002)],
  'opcode 15': [frame(0x8f, ''), closed(1002)],
  'a continuation of nothing': [frame(0x80, 'a'), closed(1002)],
  'a text within a text': [Buffer.concat([frame(0x01, 'a'), frame(0x81, 'b')]), closed(1002)],
  'a binary message within a text': [Buffer.concat([frame(0x01, 'a'), frame(0x82, 'b')]), closed(1002)],
  'a ping in fragments': [frame(0x09, 'a'), closed(1002)],
  'a ping of 126 bytes': [frame(0x89, Buffer.alloc(126)), closed(1002)],
  'a close frame of 126 bytes': [frame(0x88, Buffer.alloc(126, 3)), closed(1002)],
  'a close frame of one byte': [frame(0x88, raw(3)), closed(1002)],
  'close code 0': [frame(0x88, raw(0, 0)), closed(1002)],
  'close code 999': [frame(0x88, raw(3, 0xe7)), closed(1002)],
  'close code 1005': [frame(0x88, raw(3, 0xed)), closed(1002)],
  'close code 1006': [frame(0x88, raw(3, 0xee)), closed(1002)],
  'close code 5000': [frame(0x88, raw(0x13, 0x88)), closed(1002)],
  'a reason that is not UTF-8': [frame(0x88, raw(3, 0xe8, 0xff)), closed(1007)],
  'a text that is not UTF-8': [text(raw(0xff)), closed(1007)],
  'a text that ends within a character': [text(raw(0xe2, 0x82)), closed(1007)],
  'an overlong character': [text(raw(0xc0, 0x80)), closed(1007)],
  'half a surrogate pair in UTF-8': [text(raw(0xed, 0xa0, 0x80)), closed(1007)],
  'a text in fragments that is not UTF-8': [
    Buffer.concat([frame(0x01, raw(0xe2)), frame(0x80, raw(0x41))]),
    closed(1007)
  ],
  'a header that claims 2 GB': [CLAIM(0x82, 1n << 31n), closed(1009)],
  'a header that claims more than there is': [CLAIM(0x82, (1n << 63n) + 1n), closed(1009)],
  'fragments that claim 64 MB together': [Buffer.concat([frame(0x01, 'a'), CLAIM(0x80, 1n << 26n)]), closed(1009)],
  'a header that claims 16 MB before a greeting': [CLAIM(0x82, 1n << 24n), closed(1009)],
  'a header that claims 64 KiB': [CLAIM(0x82, 1n << 16n), waited],
  'a header that claims a byte more than 64 KiB': [CLAIM(0x82, (1n << 16n) + 1n), closed(1009)],
  'fragments of 64 KiB and one byte together': [
    Buffer.concat([frame(0x01, 'a'.repeat(65_536)), frame(0x80, 'a')]),
    closed(1009)
  ],
  'half a header': [raw(0x81), waited],
  'a thousand empty fragments': [
    Buffer.concat([frame(0x01, ''), ...Array(1000).fill(frame(0x00, '')), frame(0x80, '')]),
    ignored
  ],
  'a thousand pings': [Buffer.concat(Array(1000).fill(frame(0x89, 'x'))), ignored],
  'a question and a close frame': [
    Buffer.concat([request('ping'), frame(0x88, raw(3, 0xe9))]),
    answeredThenClosed(1001)
  ],
  'a question and a frame without mask': [
    Buffer.concat([request('ping'), raw(0x81, 1, 0x41)]),
    answeredThenClosed(1002)
  ],
  'a pong that nobody asked for': [frame(0x8a, 'x'), ignored]
};

const NEST = 100_000;
const version1 = {
  'the empty text': [text(''), ignored],
  'an open brace': [text('{'), ignored],
  'an array': [text('[1]'), ignored],
  'a leading space': [text(' {"id":1}'), ignored],
  'an empty object': [text('{}'), ignored],
  'a message that is null': [text('{"message":null}'), ignored],
  'an id and nothing else': [text('{"id":1}'), answered(/Unknown method \\"undefined\\"/)],
  'two objects': [text('{"id":1}{"id":2}'), ignored],
  '64 KiB of nothing': [text(' '.repeat(1 << 16)), ignored],
  'a megabyte before a greeting': [text(' '.repeat(1 << 20)), closed(1009)],
  'an answer that nobody waits for': [text('{"id":77,"message":1,"error":null}'), ignored],
  'an answer with the id __proto__': [text('{"id":"__proto__","error":"x"}'), ignored],
  'the method constructor': [request('constructor'), answered(/Unknown method \\"constructor\\"/)],
  'the method __proto__': [request('__proto__'), answered(/Unknown method/)],
  'a method that is an object': [text('{"id":1,"message":{"method":{}}}'), answered(/Unknown method/)],
  'a search for __proto__': [request('find', { id: '__proto__' }), answered(/"message":null/)],
  'a message to __proto__': [
    text(
      '{"id":1,"message":{"method":"send","params":{"to":"__proto__","from":"__proto__","message":{"__proto__":1}}}}'
    ),
    answered(/Peer not found \(id: __proto__\)/)
  ],
  'a message to an object': [request('send', { to: { a: 1 } }), answered(/Peer not found/)],
  'a message without anything': [request('send'), answered(/Peer not found/)],
  'a publish on __proto__': [request('publish', { channel: '__proto__', message: 1 }), answered(/"result":null/)],
  'an id that is an object with a number beyond numbers': [
    text('{"id":{"a":1e999},"message":{"method":"ping"}}'),
    answered(/1e999/)
  ],
  'params that are a number': [request('find', 7), answered(/"message":null/)],
  'halves of surrogate pairs': [
    text('{"id":"\\ud800","message":{"method":"find","params":{"id":"\\udfff"}}}'),
    answered(/ud800/)
  ],
  'members that occur twice': [
    text('{"id":1,"id":2,"message":{"method":"ping"},"message":{"method":"nothing"}}'),
    answered(/"id":2.*Unknown/)
  ],
  'a join of nothing': [request('join', {}), answered(/"id":1,"error":null/)],
  'a join of nonsense': [request('join', { url: 'nonsense' }), answered(/"error":"/)],
  'a thousand urls of nonsense': [request('hosts', { urls: Array(1000).fill('x:') }), answered(/"message":\[/)],
  'a greeting notification': [text('{"message":{"method":"greeting"}}'), ignored],
  'a greeting of another network': [request('greeting', { networkId: 'x' }), answered(/Network id mismatch/)],
  'a greeting with a host that is a number': [request('greeting', { host: 7 }), answered(/"id":1/)],
  'a greeting with a url that is an array': [request('greeting', { url: ['ws://a'] }), answered(/"id":1/)],
  'a goodbye without a greeting': [request('goodbye'), answered(/goodbye/)],
  'a binary frame before the greeting': [binary(raw(0, 1, 2, 3)), ignored],
  'an empty binary frame before the greeting': [binary(''), ignored]
};

/** After a greeting without url, as a 0.4.0 host says it that does not listen. */
const greeted = {
  'a megabyte of nothing': [text(' '.repeat(1 << 20)), ignored],
  'a header that claims 16 MB': [CLAIM(0x82, 1n << 24n), waited],
  'fragments that claim more than 64 MB together': [
    Buffer.concat([frame(0x01, 'a'), CLAIM(0x80, 1n << 26n)]),
    closed(1009)
  ],
  'an endless nesting': [text(`{"id":1,"message":${'['.repeat(NEST)}`), ignored],
  'a deep nesting': [
    text(`{"id":1,"message":{"method":"ping","params":${'['.repeat(NEST)}${']'.repeat(NEST)}}}`),
    answered(/"result":\[\[/)
  ],
  'a deep message': [
    text(
      `{"id":1,"message":{"method":"send","params":{"to":"here","message":${'['.repeat(NEST)}${']'.repeat(NEST)}}}}`
    ),
    answered(/"id":1/)
  ]
};

const number = (n) => {
  const bytes = [];
  for (; n >= 128; n = Math.floor(n / 128)) bytes.push((n % 128) + 128);
  return Buffer.from([...bytes, n]);
};
const blob = (bytes) => Buffer.concat([number(Buffer.byteLength(bytes)), Buffer.from(bytes)]);
const record = (kind, ...parts) => Buffer.concat([raw(kind), blob(Buffer.concat(parts))]);
const records = (...all) => binary(Buffer.concat([raw(0), ...all]));
const run = (count, json) => Buffer.concat([raw(0), number(count), Buffer.from(json)]);
const send = (first, payload, to = '"nobody"') => record(1, number(first), blob(to), blob('"me"'), payload);
const publish = (first, payload, channel = '"c"') => record(2, number(first), blob(channel), payload);
const ack = (upto, ...rest) => record(3, number(upto), number(1 << 20), ...rest);
const ACK = (upto) => async (stranger) => {
  const told = () => stranger.frames.some((f) => f.opcode === 2 && f.payload[1] === 3 && f.payload[3] === upto);
  await soon(told, 'the acknowledgement');
  await stranger.ping('after all');
};

const version2 = {
  'an empty frame': [binary(''), closed(1002)],
  'a gap in the numbers': [records(send(9, run(1, '1'))), closed(1002)],
  'the number 0': [records(send(0, run(1, '1'))), closed(1002)],
  'the same message twice': [Buffer.concat([records(send(1, run(1, '1'))), records(send(1, run(1, '1')))]), ACK(1)],
  'an acknowledgement of what was never said': [records(ack(9)), closed(1002)],
  'an acknowledgement of the largest number': [records(record(3, number(2 ** 53 - 1), number(1))), closed(1002)],
  'exceptions of what was never said': [records(ack(0, number(5), number(2 ** 32 - 1), raw(1))), ignored],
  'a count of exceptions that is too large': [records(ack(0, number(5), number(2 ** 40), raw(1))), closed(1002)],
  'half an exception': [records(ack(0, number(5))), closed(1002)],
  'having seen what was never acknowledged': [records(record(4, number(2 ** 50))), ignored],
  'brackets that were not opened': [records(send(1, run(2, '1],[2'))), closed(1002)],
  'brackets that are not closed': [records(send(1, run(1, '['))), closed(1002)],
  'a text that is not closed': [records(send(1, run(1, '"a'))), closed(1002)],
  'more messages than it says': [records(send(1, run(1, '1,2'))), closed(1002)],
  'fewer messages than it says': [records(send(1, run(3, '1,2'))), closed(1002)],
  'no messages': [records(send(1, run(0, ''))), closed(1002)],
  'a message that is no JSON': [records(publish(1, run(1, 'nonsense'))), closed(1002)],
  'an empty message': [records(publish(1, run(2, '1,'))), closed(1002)],
  'a million million times undefined': [records(send(1, Buffer.concat([raw(1), number(2 ** 40)]))), closed(1002)],
  'a million million texts': [records(send(1, Buffer.concat([raw(2), number(2 ** 40)]))), closed(1002)],
  'a form that is unknown': [records(send(1, raw(9, 1, 0))), closed(1002)],
  'a text beyond the end': [records(send(1, raw(2, 1, 99))), closed(1002)],
  'a text that is not UTF-8': [records(send(1, raw(2, 1, 1, 0xff))), closed(1002)],
  'a receiver that is no JSON': [records(send(1, run(1, '1'), '"a","b"')), closed(1002)],
  'a receiver that ends the list': [records(send(1, run(1, '1'), '1],[1')), closed(1002)],
  'a channel that is not UTF-8': [records(record(2, number(1), raw(1, 0xff), run(1, '1'))), closed(1002)],
  'a record beyond the end': [binary(raw(0, 1, 99, 1)), closed(1002)],
  'a number without end': [binary(raw(0, 4, 9, 255, 255, 255, 255, 255, 255, 255, 255, 255)), closed(1002)],
  'a record of an unknown kind': [records(record(99, raw(1, 2, 3))), ignored],
  'a frame for somebody else': [binary(raw(1, 1, 2, 3)), ignored],
  'a message to __proto__': [records(send(1, run(1, '{"__proto__":1}'), '"__proto__"')), ACK(1)],
  'a message to an object': [records(send(1, run(1, '1'), '{}')), ACK(1)],
  'a deep nesting': [records(publish(1, run(1, '['.repeat(NEST) + ']'.repeat(NEST)))), ACK(1)],
  'a greeting once more, with another session': [
    request('greeting', { host: { id: 'ff', versions: [2], session: { id: 'other', new: true } } }),
    answered(/"host"/)
  ]
};

/** The host that is attacked has a process of its own, so that its memory is its own. */
function attacked() {
  const host = new ours.Host();
  host.create('here').on('message', (from, message) => {
    if (message === 'well') process.send?.({ from, message });
  });
  host.subscribe('c', () => {});
  process.on('disconnect', () => process.exit());
  process.on('message', () => {
    global.gc?.();
    process.send?.({ memory: process.memoryUsage().rss, most: process.resourceUsage().maxRSS * 1024 });
  });
  host.listen('127.0.0.1', 0).then(() => process.send?.({ port: host.port, url: host.url }));
}

if (process.argv[2] === 'attacked') attacked();
else {
  test('bad inputs', { timeout: 120_000 }, attack);
  test('names that are longer than maxIdLength cost what their frames cost', { timeout: 60_000 }, nameAtLength);
}

/** @param {any} t */
async function startAttacked(t) {
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT; // It is no test.
  const child = fork(__filename, ['attacked'], { env, execArgv: ['--expose-gc'] });
  t.after(() => child.kill());
  const told = async () => (await once(child, 'message'))[0];
  const { port, url } = await told();
  return { child, told, port, url };
}

/** Upgrades, and greets as a member. */
async function greet(stranger) {
  await stranger.upgrade();
  const id = crypto.randomBytes(16).toString('hex');
  const session = { id, new: true, received: 0, seen: 0, window: 1 << 20 };
  const features = ['interest'];
  stranger.write(request('greeting', { host: { id, versions: [2], features, session } }, 'hello'));
  await soon(
    () => stranger.texts().some((t) => t.includes('"hello"') && t.includes('"session"')),
    'the answer to the greeting'
  );
}

async function attack(t) {
  const { child, told, port, url } = await startAttacked(t);
  const memory = async () => {
    child.send('memory');
    return (await told()).memory / (1 << 20);
  };
  const neighbour = new ours.Host();
  t.after(() => neighbour.close());
  await neighbour.listen('127.0.0.1', 0);
  await neighbour.join(url);
  neighbour.create('there');
  const bystander = new Raw(port);
  t.after(() => bystander.socket.destroy());
  await bystander.upgrade();

  /** They stay connected as long as they can: the host has to live with them. */
  const strangers = [];
  let cases = 0;

  async function meet(prepare, [bytes, expect]) {
    const stranger = new Raw(port);
    strangers.push(stranger);
    await prepare(stranger);
    stranger.write(bytes);
    const name = `bystander ${++cases}`;
    await bystander.ping(name);
    await expect(stranger);
    await bystander.ping(`${name} again`);
    bystander.frames = [];
  }

  const greetIn1 = async (stranger) => {
    await stranger.upgrade();
    stranger.write(request('greeting', {}, 'hello'));
    await soon(() => stranger.texts().some((t) => t.includes('"hello"')), 'the answer to the greeting');
    stranger.frames = [];
  };
  const tables = [
    ['instead of an upgrade', async () => {}, http],
    ['in frames', (stranger) => stranger.upgrade(), sockets],
    ['in version 1', (stranger) => stranger.upgrade(), version1],
    ['in version 1, greeted', greetIn1, greeted],
    ['in version 2', greet, version2]
  ];
  // What V8 takes to parse so deep a value, it keeps: once.
  await meet(greetIn1, greeted['a deep message']);
  await meet(greet, version2['a deep nesting']);
  const before = await memory();
  for (const [where, prepare, table] of tables) {
    for (const [name, entry] of Object.entries(table)) {
      await t.test(`${name}, ${where}`, () => meet(/** @type {any} */ (prepare), entry));
    }
  }
  await t.test('a greeting and a large message at once', async () => {
    const stranger = new Raw(port);
    strangers.push(stranger);
    await stranger.upgrade();
    const params = 'x'.repeat(17 << 20);
    stranger.write(Buffer.concat([request('greeting', {}, 1), request('ping', params, 2)]));
    await soon(() => stranger.texts().some((t) => t.includes('"id":2')), 'the answer to a large ping');
    stranger.frames = [];
  });
  await t.test('strangers do not make the host keep messages', async () => {
    const before = await memory();
    const all = Array.from({ length: 20 }, () => new Raw(port));
    strangers.push(...all);
    await Promise.all(all.map((stranger) => stranger.upgrade()));
    for (const stranger of all) stranger.write(Buffer.concat([CLAIM(0x82, 62n << 20n), Buffer.alloc(61 << 20)]));
    await Promise.all(all.map((stranger) => soon(() => stranger.closed, 'the end')));
    assert.ok((await memory()) - before < 20);
  });
  await t.test('strangers who do not read are closed', async () => {
    const before = await memory();
    const all = Array.from({ length: 8 }, () => new Raw(port));
    strangers.push(...all);
    await Promise.all(all.map((stranger) => stranger.upgrade()));
    const pings = Buffer.concat(Array(100).fill(request('ping', 'x'.repeat(60_000))));
    const flood = async (stranger) => {
      stranger.socket.pause();
      const ended = once(stranger.socket, 'close');
      for (let n = 0; n < 20; n++) {
        const written = new Promise((resolve) => stranger.socket.write(pings, resolve));
        const waits = new Promise((resolve) => setTimeout(resolve, 2000, true));
        if (await Promise.race([written, ended, waits])) break;
      }
    };
    await Promise.all(all.map(flood));
    const most = await memory();
    assert.ok(most - before < 20, `${(most - before).toFixed(1)} MiB`);
    for (const stranger of all) stranger.socket.resume();
    await Promise.all(all.map((stranger) => soon(() => stranger.closed, 'the end')));
  });
  await t.test('a stranger who does not read is told so', async () => {
    const stranger = new Raw(port);
    strangers.push(stranger);
    await stranger.upgrade();
    stranger.socket.pause();
    stranger.write(Buffer.concat(Array(300).fill(request('ping', 'x'.repeat(60_000)))));
    await until(() => stranger.socket.writableLength === 0);
    stranger.socket.resume();
    await closed(1008)(stranger);
    stranger.frames = [];
  });
  const after = await memory();

  await t.test('everybody else goes on', async () => {
    assert.ok(cases >= 60, `${cases} cases`);
    const arrived = told();
    await neighbour.send('there', 'here', 'well');
    assert.deepStrictEqual(await arrived, { from: 'there', message: 'well' });
    assert.ok(neighbour.connections[url]);
    strangers.forEach((stranger) => stranger.socket.destroy());
    await until(() => strangers.every((stranger) => stranger.closed));
    await bystander.ping('the end');
  });
  await t.test('memory does not grow', () => {
    t.diagnostic(`${cases} cases, from ${before.toFixed(1)} to ${after.toFixed(1)} MiB`);
    assert.ok(after - before < 10, `${(after - before).toFixed(1)} MiB`);
  });
}

async function nameAtLength(t) {
  const { child, told, port, url } = await startAttacked(t);
  const most = async () => {
    child.send('memory');
    return (await told()).most / (1 << 20);
  };
  const neighbour = new ours.Host();
  t.after(() => neighbour.close());
  await neighbour.join(url);
  neighbour.create('there');

  const long = '*a'.repeat(5 << 20);
  const note = (head, value) =>
    records(record(12, number(1), blob(JSON.stringify(head)), run(1, JSON.stringify(value))));
  const head = (letter, args) => note(letter + JSON.stringify(args), null);
  const interest = (...names) =>
    records(record(5, raw(1), ...names.flatMap((name) => [raw(1), blob(name)])), record(6, number(7)));
  const SYNCED = async (stranger) => {
    const told = () => stranger.frames.some((f) => f.opcode === 2 && f.payload[1] === 7);
    await soon(told, 'the answer to a sync');
    await stranger.ping('after all');
  };
  for (const [name, bytes, expect] of [
    ['a broadcast', head('b', [1, long, false]), closed(1009)],
    ['a broadcast from an id', head('b', [1, '*', false, long]), closed(1009)],
    ['a question for a list', head('l', [1, long]), closed(1009)],
    ['a watch', head('w', [1, long]), closed(1009)],
    ['members of groups', head('g', [long]), closed(1009)],
    ['a job', head('m', [long, 'group']), closed(1009)],
    ['a kind that is unknown', note(`?${long}`, null), closed(1009)],
    ['a pattern of a member of a group', note('g[]', [true, [[long, true, 'group', 1]]]), ACK(1)],
    ['the group of a member', note('g[]', [true, [['channel', false, long, 1]]]), ACK(1)],
    ['an interest', interest('fine', long), SYNCED]
  ]) {
    await t.test(`${name}`, async () => {
      const before = await most();
      const stranger = new Raw(port);
      await greet(stranger);
      stranger.write(bytes);
      await expect(stranger);
      stranger.socket.destroy();
      await until(() => stranger.closed);
      const more = (await most()) - before;
      t.diagnostic(`${name}: at most ${more.toFixed(0)} MiB more, for ${(bytes.length / (1 << 20)).toFixed(0)} MB`);
      assert.ok(more < 64, `${more.toFixed(0)} MiB`);
    });
  }
  const arrived = told();
  await neighbour.send('there', 'here', 'well');
  assert.deepStrictEqual(await arrived, { from: 'there', message: 'well' });
}
