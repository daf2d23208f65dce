'use strict';
// What is done to a host, one attack for each row of docs/internals/bounds.md, under the row's name. Each resolves when there is no more to
// say, or when the host has ended the connections.

const net = require('node:net');
const { once } = require('node:events');
const {
  FORM,
  KIND,
  Member,
  blob,
  byte,
  frame,
  id,
  nothing,
  num,
  record,
  run,
  stranger,
  texts
} = require('./member.js');

/**
 * @typedef {object} Attacked
 * @property {string} url
 * @property {number} port
 * @property {(act: string) => Promise<void>} act has the process do something, see victim.js
 *
 * @typedef {object} Attack
 * @property {(attacked: Attacked) => Promise<(() => void)[]>} run resolves to what ends its connections
 * @property {number} [peers] how many the attacked one has
 * @property {object} [options] of the attacked host
 * @property {number} [listen] how many milliseconds the attackers stay after they have said everything; 500 by default
 */

const MB = 1 << 20;
const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: a',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13'
];

/** @template T @param {number} count @param {(index: number) => T} make @returns {T[]} */
const times = (count, make) => Array.from({ length: count }, (_, index) => make(index));
const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sockets that say nothing but this. @param {number} port @param {number} count @param {string} bytes */
async function sockets(port, count, bytes) {
  const all = times(count, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.all(all.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close'), pause(5000)])));
  for (const socket of all) socket.write(bytes);
  return all.map((socket) => () => socket.destroy());
}

/** The header of a message of that many bytes, and all but the last of them. @param {import('ws').WebSocket} socket @param {number} length */
function unfinished(socket, length) {
  const header = Buffer.alloc(14);
  header.writeUInt8(0x82, 0);
  header.writeUInt8(0x80 | 127, 1);
  header.writeBigUInt64BE(BigInt(length), 2);
  // @ts-ignore The raw socket.
  const raw = socket._socket;
  raw.write(header);
  const piece = Buffer.alloc(MB);
  for (let left = length - 1; left > 0; left -= piece.length)
    raw.write(piece.subarray(0, Math.min(left, piece.length)));
  return Promise.race([new Promise((resolve) => raw.write('', resolve)), once(socket, 'close'), pause(5000)]);
}

/** @param {string} url @param {number} count @param {object} [options] */
const members = (url, count, options) => Promise.all(times(count, () => Member.join(url, options)));

/**
 * One member says all that, frame by frame, until it is cut off.
 * @param {string} url
 * @param {(member: Member) => Iterable<Buffer | string> | AsyncIterable<Buffer | string>} what
 */
async function says(url, what) {
  const member = await Member.join(url);
  for await (const bytes of what(member)) {
    if (!member.open) break;
    await Promise.race([member.write(bytes), pause(10_000)]);
  }
  return [() => member.end()];
}

/** @param {(member: Member) => Iterable<Buffer | string>} what @param {Partial<Attack>} [more] @returns {Attack} */
const member = (what, more) => ({ run: ({ url }) => says(url, what), ...more });

const question = (/** @type {number} */ n, /** @type {string} */ method, /** @type {any} */ params) =>
  JSON.stringify({ id: n, message: { method, params } });

const long = 'x'.repeat(10 * MB);

/** Whom everything waits for until it is greeted. @type {Record<string, Attack>} */
const STRANGERS = {
  connections: {
    run: async ({ url }) => {
      const all = [];
      for (let n = 0; n < 20; n++) all.push(...(await Promise.all(times(100, () => stranger(url)))));
      return all.map((socket) => () => socket.terminate());
    }
  },
  handshakes: { run: ({ port }) => sockets(port, 3000, UPGRADE.join('\r\n')) },
  'long heads of handshakes': {
    run: ({ port }) => sockets(port, 3000, `${UPGRADE.join('\r\n')}\r\nLong: ${'x'.repeat(60_000)}`)
  },
  'a message that is not complete': {
    run: async ({ url }) => {
      const all = await Promise.all(times(20, () => stranger(url)));
      await Promise.all(all.map((socket) => unfinished(socket, 62 * MB)));
      return all.map((socket) => () => socket.terminate());
    }
  },
  'answers that a stranger does not read': {
    run: async ({ url }) => {
      const all = await Promise.all(times(8, () => stranger(url)));
      const ping = question(1, 'ping', 'x'.repeat(MB));
      for (const socket of all) {
        socket.pause();
        for (let n = 0; n < 60 && socket.readyState === 1; n++) socket.send(ping);
      }
      await pause(2000);
      return all.map((socket) => () => socket.terminate());
    }
  },
  'small questions of a stranger': {
    run: async ({ url }) => {
      const socket = await stranger(url);
      socket.pause();
      for (let n = 0; n < 300_000 && socket.readyState === 1; n++) {
        socket.send(question(n, n % 2 ? 'find' : 'list', { id: `peer ${n}` }));
        if (n % 1000 === 0) await pause(0);
      }
      return [() => socket.terminate()];
    }
  }
};

/** What is kept of members. @type {Record<string, Attack>} */
const MEMBERS = {
  'messages of members that are not complete': {
    run: async ({ url }) => {
      const all = await members(url, 20);
      await Promise.all(all.map((m) => unfinished(/** @type {any} */ (m.socket), 62 * MB)));
      return all.map((m) => () => m.end());
    }
  },
  'what a member does not read': {
    options: { maxQueueBytes: 16 * MB },
    run: async ({ url, act }) => {
      const all = await members(url, 4, { hello: { quiet: false }, window: 2 ** 50 });
      for (const m of all) m.pause();
      for (let n = 0; n < 300; n++) await act('publish');
      return all.map((m) => () => m.end());
    }
  },
  'what a member does not acknowledge': {
    options: { maxQueueBytes: 16 * MB },
    run: async ({ url, act }) => {
      const all = await members(url, 4, { hello: { quiet: false }, window: 2 ** 50 });
      for (let n = 0; n < 300; n++) await act('publish');
      return all.map((m) => () => m.end());
    }
  },
  'messages to a peer whose handler does not end': member(function* (m) {
    yield frame(...times(48, () => m.send('never', 1 << 20, nothing(1 << 20))));
  }),
  'messages to a slow peer': member(function* (m) {
    yield frame(...times(48, () => m.send('slow', 1 << 20, nothing(1 << 20))));
  }),
  'messages to a peer': member(function* (m) {
    yield frame(...times(4, () => m.send('here', 1 << 20, nothing(1 << 20))));
  }),
  'messages to nobody': member(function* (m) {
    yield frame(...times(1000, (n) => m.send(`nobody ${n}`, 1 << 20, nothing(1 << 20))));
  }),
  'publishes that nobody listens to': member(function* (m) {
    yield frame(...times(3000, () => m.publish('silence', 1 << 20, nothing(1 << 20))));
  }),
  publishes: member(function* (m) {
    yield frame(...times(4, () => m.publish('news', 1 << 20, nothing(1 << 20))));
  }),
  'requests without an end': member(function* (m) {
    for (let n = 0; n < 100; n++) yield frame(...times(100, () => m.request('never', 1000, nothing(1000))));
  }),
  'replies that nobody waits for': member(function* (m) {
    yield frame(...times(100, () => record(KIND.REPLY, m.numbers(1 << 20), num(1), byte(2), nothing(1 << 20))));
  }),
  'small messages': member(function* (m) {
    const content = Buffer.from(times(50_000, () => '0').join());
    for (let n = 0; n < 200; n++) yield frame(m.send('here', 50_000, run(FORM.JSON, 50_000, content)));
  }),
  'long ids': member(function* (m) {
    yield frame(m.send(long, 1, nothing(1), long));
  }),
  'long heads of notes': member(function* (m) {
    for (const letter of 'wlgbm') yield frame(m.note(`${letter}[1,${JSON.stringify(long)}]`));
  }),
  'long patterns in rows of groups': member(function* (m) {
    yield frame(m.note('g[]', texts([true, [[long, false, 'g', 1]]])));
  }),
  'long names in interests': member(function* (m) {
    yield frame(m.interest(1, [[long, 1]]));
  }),
  'acknowledgements with many exceptions': member(function* () {
    const many = times(100_000, (n) => Buffer.concat([num(2 * n + 1), num(1), byte(1)]));
    yield frame(record(KIND.ACK, num(0), num(8 * MB), ...many));
  }),
  'names of channels': {
    run: async ({ url }) => {
      const all = await members(url, 4);
      for (const m of all) {
        for (let part = 0; part < 10; part++) {
          const names = times(100_000, (n) => /** @type {[string, number]} */ ([`some.channel.${part}.${n * 7}`, 0]));
          await m.write(frame(m.interest(part ? 0 : 1, names)));
        }
      }
      return all.map((m) => () => m.end());
    }
  },
  'patterns of channels': {
    run: async ({ url, act }) => {
      const all = await members(url, 4);
      for (const m of all) {
        const worst = times(
          100_000,
          (n) => /** @type {[string, number]} */ ([`**.l*o*u*d*${n % 100}*.**.a${n}.**`, 1])
        );
        await m.write(frame(m.interest(1, worst)));
      }
      for (let n = 0; n < 5; n++) await act('publish');
      return all.map((m) => () => m.end());
    }
  },
  watches: {
    run: async ({ url, act }) => {
      const end = await says(url, function* (m) {
        for (let n = 0; n < 100; n++) {
          yield frame(...times(1000, (k) => m.note(`w[${n * 1000 + k + 1},"n*e*w*${n * 1000 + k}*"]`)));
        }
      });
      for (let n = 0; n < 10; n++) await act('create');
      return end;
    },
    peers: 10_000
  },
  'peers that a watch is told of': {
    run: ({ url, act }) =>
      says(url, async function* (m) {
        await act('watch');
        for (let n = 0; n < 1200; n++) {
          const rows = texts(times(1000, (k) => [1, `told ${n} ${k}`]));
          // Which number the watch has depends on who else is there.
          for (const number of [1, 2, 3]) yield frame(m.note(`c[${number}]`, rows));
        }
      })
  },
  'lists that have no end': {
    run: ({ url, act }) =>
      says(url, async function* (m) {
        await act('list');
        for (let n = 0; n < 1200; n++) {
          const ids = texts(times(1000, (k) => `told ${n} ${k}`));
          for (const number of [1, 2, 3]) yield frame(m.note(`p${number}`, ids));
        }
      })
  },
  'members of groups': member(function* (m) {
    for (let part = 0; part < 500; part++) {
      const rows = times(1000, (n) => [`channel ${part} ${n}`, n % 2 === 0, 'group', 1]);
      yield frame(m.note('g[]', texts([part === 0, rows, part < 499])));
    }
  }),
  'questions for lists': member(
    function* (m) {
      for (let n = 0; n < 50; n++) yield frame(...times(1000, (k) => m.note(`l[${n * 1000 + k + 1},"*"]`)));
    },
    { peers: 100_000, listen: 3000 }
  ),
  broadcasts: member(
    function* (m) {
      yield frame(...times(300, (n) => m.note(`b[${n + 1},"**",true,"me"]`, nothing(1))));
    },
    { peers: 10_000, listen: 3000 }
  ),
  jobs: member(function* (m) {
    yield frame(...times(50, () => m.note('m["jobs","workers"]', nothing(1 << 16), 1 << 16)));
  }),
  'peers that are said to live somewhere': {
    run: async ({ url }) => {
      const all = await members(url, 4);
      const hashes = Buffer.alloc(8 * MB);
      for (const m of all) {
        for (let part = 0; part < 8; part++) {
          for (let at = 0; at < hashes.length; at += 8) {
            hashes.writeUInt32LE(((part * MB + at / 8) * 2654435761) >>> 0, at);
            hashes.writeUInt32LE(at, at + 4);
          }
          await m.write(frame(record(KIND.PLACE, byte(part ? 0 : 1), hashes)));
        }
      }
      return all.map((m) => () => m.end());
    }
  },
  'searches for peers': member(function* () {
    for (let n = 0; n < 100; n++) {
      yield frame(...times(3000, (k) => record(KIND.LOOK, num(n * 3000 + k), id(`who ${n} ${k}`))));
      yield frame(
        ...times(3000, (k) => record(KIND.ASK, num(n * 3000 + k), blob('f'.repeat(32)), id(`who ${n} ${k}`)))
      );
    }
  }),
  'rounds that are asked for': {
    run: async ({ url }) => {
      const m = await Member.join(url);
      m.pause();
      for (let n = 0; n < 200 && m.open; n++) {
        await Promise.race([
          m.write(frame(...times(10_000, (k) => record(KIND.SYNC, num(n * 10_000 + k))))),
          pause(1000)
        ]);
      }
      return [() => m.end()];
    }
  },
  'addresses by hearsay': {
    run: async ({ url }) => {
      const m = await Member.join(url);
      const list = times(4096, (n) => ({
        url: `ws://127.0.0.${(n % 250) + 1}:${20_000 + n}`,
        id: n.toString(16).padStart(32, '0')
      }));
      await m.tell('members', { members: list, all: true });
      for (const { url: told } of list) await m.ask('join', { url: told });
      await m.ask('members', { members: list });
      return [() => m.end()];
    },
    listen: 2000
  },
  'hosts that relay': member(function* (m) {
    for (let n = 1; n < 20_000; n++) {
      const part = (/** @type {string} */ text) => Buffer.concat([byte(text.length), Buffer.from(text)]);
      yield Buffer.concat([byte(1), part(m.id), part(n.toString(16).padStart(32, 'e')), num(n), byte(2)]);
    }
  }),
  'hosts that are connected': {
    run: async ({ url }) => {
      const all = [];
      for (let n = 0; n < 20; n++) all.push(...(await members(url, 100)));
      return all.map((m) => () => m.end());
    }
  },
  'urls that several hosts claim': {
    run: async ({ url }) => {
      const all = [];
      for (let n = 0; n < 10; n++) {
        const claims = times(100, (k) => Member.join(url, { url: `ws://127.0.0.1:9/${n * 100 + k}` }));
        const again = times(100, (k) => Member.join(url, { url: `ws://127.0.0.1:9/${n * 100 + k}` }));
        all.push(...(await Promise.all([...claims, ...again])));
      }
      return all.map((m) => () => m.end());
    }
  },
  'hosts that were lost': {
    options: { reconnectTimeout: 8000 },
    run: async ({ url }) => {
      for (let n = 0; n < 100; n++) {
        const all = await members(url, 100, { hello: { quiet: false } });
        for (const m of all) m.end();
      }
      return [];
    }
  },
  'pings of a member that reads nothing': {
    run: async ({ url }) => {
      const all = await members(url, 8);
      const body = 'x'.repeat(MB);
      for (const m of all) {
        m.pause();
        for (let n = 0; n < 60 && m.open; n++) {
          m.ask('ping', body);
          m.socket?.ping('x'.repeat(100));
        }
      }
      await pause(2000);
      return all.map((m) => () => m.end());
    }
  },
  'questions of version 1': {
    run: async ({ url }) => {
      const socket = await stranger(url);
      socket.send(question(0, 'greeting', {}));
      for (let n = 0; n < 200_000 && socket.readyState === 1; n += 2) {
        socket.send(question(n + 1, 'find', { id: `who ${n}` }));
        socket.send(question(n + 2, 'send', { from: 'me', to: `who ${n >> 8}`, message: n }));
        if (n % 1000 === 0) await pause(0);
      }
      return [() => socket.terminate()];
    }
  },
  'messages of version 1': {
    run: async ({ url }) => {
      const socket = await stranger(url);
      socket.send(question(0, 'greeting', {}));
      for (let n = 0; n < 100_000 && socket.readyState === 1; n++) {
        socket.send(question(n + 1, 'send', { from: 'me', to: n % 2 ? 'slow' : 'nobody', message: n }));
        if (n % 1000 === 0) await pause(0);
      }
      return [() => socket.terminate()];
    }
  }
};

module.exports = { ...STRANGERS, ...MEMBERS };
