'use strict';
// COMPAT 35 to 40: what a stranger gets to hear, of the original (where it survives) and of ours.

const test = require('node:test');
const assert = require('node:assert');
const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');
const WebSocket = require('ws');
const { UPGRADE } = require('../support.js');
const { both, listening, ours, until } = require('./both.js');

const options = { timeout: 60_000 };

/** Connects by hand. `ask` sends a frame and gives the text of the next one that comes. */
async function stranger(t, it, path = '', protocols = []) {
  const socket = new WebSocket(it.url + path, protocols);
  t.after(() => socket.terminate());
  await once(socket, 'open');
  const ask = async (frame) => {
    const heard = once(socket, 'message');
    socket.send(frame);
    return String((await heard)[0]);
  };
  return { socket, ask };
}

const PING = '{"id":"end","message":{"method":"ping"}}';

both('answers', async (t, distribus) => {
  const one = await listening(t, distribus, { networkId: 'n' });
  one.create('here').on('message', () => {});
  one.create(7);
  const { ask } = await stranger(t, one);
  const url = JSON.stringify(one.url);
  const answers = {
    '{"id":1,"message":{"method":"ping","params":{"a":1}}}':
      '{"id":1,"message":{"result":{"a":1},"error":null},"error":null}',
    '{"id":"x","message":{"method":"ping"}}': '{"id":"x","message":{"error":null},"error":null}',
    '{"id":null,"message":{"method":"ping","params":null}}':
      '{"id":null,"message":{"result":null,"error":null},"error":null}',
    '{"id":{"a":[1]},"message":{"method":"find","params":{"id":"here"}}}': `{"id":{"a":[1]},"message":${url},"error":null}`,
    '{"id":false,"message":{"method":"find","params":{"id":"7"}}}': `{"id":false,"message":${url},"error":null}`,
    '{"id":0,"message":{"method":"find","params":{"id":7}}}': `{"id":0,"message":${url},"error":null}`,
    '{"id":2,"message":{"method":"find","params":{"id":"gone"}}}': '{"id":2,"message":null,"error":null}',
    '{"id":3,"message":{"method":"find"}}': '{"id":3,"message":null,"error":null}',
    '{"id":4,"message":{"method":"hosts"}}': '{"id":4,"message":[],"error":null}',
    '{"id":5,"message":{"method":"publish","params":{"channel":"c","message":1}}}':
      '{"id":5,"message":{"result":null,"error":null},"error":null}',
    '{"id":6,"message":{"method":"send","params":{"from":"a","to":"here","message":1}}}':
      '{"id":6,"message":null,"error":null}',
    '{"id":7,"message":{"method":"send","params":{"to":"gone"}}}':
      '{"id":7,"message":null,"error":"Error: Peer not found (id: gone)"}',
    '{"id":8,"message":{"method":"send"}}': '{"id":8,"message":null,"error":"Error: Peer not found (id: undefined)"}',
    '{"id":9,"message":{"method":"goodbye"}}': '{"id":9,"message":"goodbye","error":null}',
    '{"id":10,"message":{"method":"foo"}}': '{"id":10,"message":null,"error":"Unknown method \\"foo\\""}',
    '{"id":11,"message":{}}': '{"id":11,"message":null,"error":"Unknown method \\"undefined\\""}',
    '{"id":12,"message":"text"}': '{"id":12,"message":null,"error":"Unknown method \\"undefined\\""}',
    '{"id":13,"message":5}': '{"id":13,"message":null,"error":"Unknown method \\"undefined\\""}',
    '{"id":14,"message":{"method":"join","params":{}}}': '{"id":14,"error":null}',
    '{"id":15,"message":{"method":"greeting","params":{"networkId":"m"}}}':
      '{"id":15,"message":null,"error":"Network id mismatch (m !== n)"}',
    '{"id":16,"message":{"method":"greeting","params":{"networkId":"n"}}}':
      '{"id":16,"message":{"networkId":"n"},"error":null}',
    '{"id":17,"message":{"method":"greeting","params":{}}}': '{"id":17,"message":{"networkId":"n"},"error":null}'
  };
  for (const [frame, answer] of Object.entries(answers)) assert.strictEqual(await ask(frame), answer, frame);
  one.networkId = undefined;
  assert.strictEqual(
    await ask('{"id":18,"message":{"method":"greeting","params":{}}}'),
    '{"id":18,"message":{},"error":null}'
  );
});

both('frames that do not begin with { are ignored', async (t, distribus) => {
  const one = await listening(t, distribus);
  const { socket, ask } = await stranger(t, one);
  for (const frame of ['', '[', '[1]', ' {"id":1,"message":{"method":"ping"}}', 'text', '"{"', '\ufeff{}'])
    socket.send(frame);
  assert.strictEqual(JSON.parse(await ask(PING)).id, 'end');
});

both('notifications are obeyed and not answered', async (t, distribus) => {
  const one = await listening(t, distribus);
  const got = [];
  one.subscribe('c', (message) => got.push(message));
  one.create('p').on('message', (from, message) => got.push(message));
  const { socket, ask } = await stranger(t, one);
  socket.send('{"message":{"method":"publish","params":{"channel":"c","message":1}}}');
  socket.send('{"message":{"method":"send","params":{"to":"p","message":2}}}');
  assert.strictEqual(JSON.parse(await ask(PING)).id, 'end');
  await until(() => got.length === 2);
  assert.deepStrictEqual(got, [1, 2]);
});

both('any path, the first subprotocol, pings, fragments; plain HTTP', async (t, distribus, kind) => {
  const one = await listening(t, distribus);
  const { socket, ask } = await stranger(t, one, '/any/path?query', ['first', 'second']);
  assert.strictEqual(socket.protocol, 'first');
  assert.strictEqual(socket.extensions, '');
  const pong = once(socket, 'pong');
  socket.ping('data');
  assert.strictEqual(String((await pong)[0]), 'data');
  const heard = once(socket, 'message');
  socket.send(PING.slice(0, 10), { fin: false });
  socket.send(PING.slice(10), { fin: true });
  assert.strictEqual(JSON.parse(String((await heard)[0])).id, 'end');
  assert.ok(await ask(PING));
  if (kind === 'ours') {
    const response = await new Promise((resolve) => http.get(one.url.replace('ws', 'http'), resolve));
    const body = (await response.toArray()).join('');
    assert.deepStrictEqual([response.statusCode, body], [200, 'Not implemented']);
  }
});

test('Fixed: what kills the original is ignored or answered', options, async (t) => {
  const one = await listening(t, ours);
  one.create('p').on('message', () => {});
  const { socket, ask } = await stranger(t, one);
  const frames = [
    '{',
    '{}',
    '{"message":null}',
    '{"message":7}',
    '{"id":1,"message":',
    '{"a":1}x',
    Buffer.from([0, 255, 123]),
    Buffer.from('{"id":1,"message":{"method":"ping"}}'),
    '{"message":{"method":"greeting"}}',
    '{"message":{"method":"send"}}',
    '{"message":{"method":"join","params":{"url":7}}}',
    '{"message":{"method":"join","params":{"url":"no url"}}}',
    '{"message":{"method":"hosts","params":{"urls":"x"}}}',
    '{"message":{"method":"hosts","params":{"urls":[1,null,{},"nonsense"]}}}',
    '{"message":{"method":"publish","params":7}}',
    '{"message":{"method":{"toString":1}}}',
    '{"message":{"method":"__proto__"}}',
    '{"message":{"method":"constructor"}}',
    '{"message":{"method":"send","params":{"to":"p","from":"\\ud800\\u0000","message":"\\udfff"}}}',
    '{"message":{"method":"send","params":{"__proto__":{"to":"p"}}}}',
    '{"__proto__":{"id":1},"message":{"method":"ping"}}',
    '{"message":{"method":"publish","params":{"channel":"__proto__","message":{"__proto__":{"polluted":1}}}}}',
    '{"message":{"method":"send","params":{"to":"__proto__","message":1}}}'
  ];
  for (const frame of frames) socket.send(frame);
  for (const id of ['toString', 'constructor', '__proto__', 'hasOwnProperty', '\\ud800', '\\u0000', '']) {
    socket.send(`{"id":"${id}","message":1,"error":null}`);
    socket.send(`{"id":"${id}","error":"x"}`);
    let answer = await ask(`{"id":"${id}","message":{"method":"find","params":{"id":"${id}"}}}`);
    assert.strictEqual(answer, `{"id":"${id}","message":null,"error":null}`);
    answer = await ask(`{"id":"${id}","message":{"method":"send","params":{"from":"${id}","to":"${id}"}}}`);
    assert.match(JSON.parse(answer).error, /^Error: Peer not found \(id: /);
    answer = await ask(`{"id":1,"message":{"method":"${id}"}}`);
    assert.match(JSON.parse(answer).error, /^Unknown method "/);
  }
  assert.strictEqual({}.polluted, undefined);
  assert.strictEqual(JSON.parse(await ask(PING)).id, 'end');
  assert.strictEqual(await one.send('s', 'p', 1), null);
});

test('Fixed: 10 MB of anything, and nesting without end', options, async (t) => {
  const one = await listening(t, ours);
  const got = [];
  one.create('p').on('message', (from, message) => got.push(message));
  const { socket, ask } = await stranger(t, one);
  // Strangers may not say so much.
  await ask('{"id":0,"message":{"method":"greeting","params":{}}}');
  const long = 'x'.repeat(10_000_000);
  const deep = (open, close) => open.repeat(100_000) + '1' + close.repeat(100_000);
  for (const frame of [
    long,
    '{' + long,
    `{"${long}":1}`,
    '{"message":' + '['.repeat(100_000),
    '{"a":'.repeat(100_000),
    `{"message":{"method":"${long}"}}`,
    `{"message":${deep('[', ']')}}`,
    `{"message":${deep('{"a":', '}')}}`
  ])
    socket.send(frame);
  assert.strictEqual(
    JSON.parse(await ask(`{"id":1,"message":{"method":"find","params":{"id":"${long}"}}}`)).message,
    null
  );
  assert.ok((await ask(`{"id":"${long}","message":{"method":"ping"}}`)).startsWith('{"id":"xxx'));
  assert.strictEqual(
    JSON.parse(await ask(`{"id":1,"message":{"method":"send","params":{"to":"p","message":"${long}"}}}`)).error,
    null
  );
  assert.strictEqual(got[0].length, long.length);
  for (const params of [
    `{"to":"p","message":${deep('[', ']')}}`,
    `{"to":${deep('[', ']')}}`,
    `{"to":"q","message":${deep('{"a":', '}')}}`,
    deep('[', ']')
  ]) {
    await ask(`{"id":1,"message":{"method":"send","params":${params}}}`);
  }
  assert.strictEqual(JSON.parse(await ask(PING)).id, 'end');
});

test('Fixed: an answer that nobody waits for is dropped', options, async (t) => {
  const one = await listening(t, ours);
  const { socket, ask } = await stranger(t, one);
  const heard = [];
  socket.on('message', (data) => heard.push(JSON.parse(String(data)).id));
  socket.send('{"id":"late","message":null,"error":null}');
  socket.send('{"id":"late","message":null,"error":"Unknown method \\"undefined\\""}');
  await ask(PING);
  assert.deepStrictEqual(heard, ['end']);
});

test('a stranger that says goodbye may stay', options, async (t) => {
  const one = await listening(t, ours);
  const { socket, ask } = await stranger(t, one);
  for (let i = 0; i < 3; i++)
    assert.strictEqual(
      await ask('{"id":1,"message":{"method":"goodbye"}}'),
      '{"id":1,"message":"goodbye","error":null}'
    );
  assert.ok(await ask(PING));
  assert.strictEqual(socket.readyState, WebSocket.OPEN);
});

test('bytes that are no WebSocket, and sockets that say nothing', options, async (t) => {
  const one = await listening(t, ours);
  for (const bytes of [
    '',
    'GET',
    '\0\0\0\0',
    'GET / HTTP/1.1\r\n\r\n',
    'POST / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n',
    'x'.repeat(1_000_000),
    'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\xff\xff\xff\xff'
  ]) {
    const socket = net.connect(one.port, '127.0.0.1').on('error', () => {});
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    socket.write(Buffer.from(bytes, 'latin1'));
    if (bytes.length % 2) socket.end();
  }
  const { ask } = await stranger(t, one);
  assert.ok(await ask(PING));
});

test('an answer "welcome" to the greeting, as 0.3.0 gives it, is good', options, async (t) => {
  const server = new WebSocket.Server({ port: 0, host: '127.0.0.1' });
  t.after(() => {
    server.close();
    for (const socket of server.clients) socket.terminate();
  });
  await once(server, 'listening');
  server.on('connection', (socket) =>
    socket.on('message', (data) => {
      const { id, message } = JSON.parse(String(data));
      const answers = { greeting: 'welcome', hosts: [], goodbye: 'goodbye' };
      socket.send(JSON.stringify({ id, message: answers[message.method], error: null }));
    })
  );
  const one = await listening(t, ours);
  const url = `ws://127.0.0.1:${server.address().port}`;
  await one.join(url);
  assert.deepStrictEqual([Object.keys(one.connections), one.networkId], [[url], undefined]);
});

/** The first line of the answer to a request. */
async function answerTo(t, it, lines) {
  const socket = net.connect(it.port, '127.0.0.1').on('error', () => {});
  t.after(() => socket.destroy());
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const [data] = await once(socket, 'data');
  return String(data).split('\r\n', 1)[0];
}

both('upgrades as proxies write them', async (t, distribus, kind) => {
  const one = await listening(t, distribus);
  /** The upgrade with another line instead of that one. */
  const changed = (name, ...lines) => UPGRADE.flatMap((line) => (line.startsWith(name) ? lines : [line]));
  const accepted = {
    'as it is': UPGRADE,
    '500 headers': [...UPGRADE, ...Array.from({ length: 500 }, (_, n) => `x-${n}: ${n}`)],
    '15 KB of headers': [...UPGRADE, `Cookie: ${'a'.repeat(15_000)}`],
    'Connection twice': changed('Connection', 'Connection: keep-alive', 'Connection: Upgrade'),
    'Connection with a list': changed('Connection', 'Connection: keep-alive, Upgrade'),
    'the version twice': [...UPGRADE, 'Sec-WebSocket-Version: 13'],
    'two versions': changed('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 13, 8'),
    'HTTP/1.0': changed('GET', 'GET / HTTP/1.0'),
    'no Host': changed('Host'),
    'a whole url': changed('GET', 'GET http://a/b HTTP/1.1'),
    'odd characters in the path': changed('GET', 'GET /a|b"c{}^` HTTP/1.1'),
    'a body': [...UPGRADE, 'Content-Length: 0']
  };
  for (const [what, lines] of Object.entries(accepted)) {
    assert.strictEqual(await answerTo(t, one, lines), 'HTTP/1.1 101 Switching Protocols', what);
  }
  const refused = {
    'a header in two lines': [...UPGRADE, 'x: a', ' b'],
    'a space after a name': changed('Sec-WebSocket-Version', 'Sec-WebSocket-Version : 13'),
    'HTTP/1.2': changed('GET', 'GET / HTTP/1.2'),
    'no key': changed('Sec-WebSocket-Key')
  };
  for (const [what, lines] of Object.entries(refused))
    assert.match(await answerTo(t, one, lines), /^HTTP\/1.1 400 /, what);
  // Fixed: nobody speaks that version, which has other frames.
  const old = await answerTo(t, one, changed('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 8'));
  assert.strictEqual(old, kind === 'ours' ? 'HTTP/1.1 426 Upgrade Required' : 'HTTP/1.1 101 Switching Protocols');
});

/** A server that answers each upgrade with these lines, in which KEY stands for what proves that it knows the key. */
async function answering(t, lines) {
  const server = http.createServer();
  server.on('upgrade', (request, socket) => {
    const { createHash } = require('node:crypto');
    const proof = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.on('error', () => {}).write(`${lines.join('\r\n')}\r\n\r\n`.replaceAll('KEY', proof));
    t.after(() => socket.destroy());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `ws://127.0.0.1:${server.address().port}`;
}

test('answers to an upgrade as proxies write them', options, async (t) => {
  const SWITCH = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Accept: KEY'
  ];
  const joined = async (lines) => {
    const host = new ours.Host({ requestTimeout: 200 });
    t.after(() => host.close());
    // Nobody answers the greeting: the upgrade was accepted.
    return host
      .join(await answering(t, lines))
      .catch(({ code, message }) =>
        code === 'ERR_REQUEST_TIMEOUT' ? 'accepted' : `${code}: ${message.replace(/ \(url.*/, '')}`
      );
  };
  assert.strictEqual(await joined([...SWITCH, ...Array.from({ length: 2000 }, (_, n) => `x-${n}: ${n}`)]), 'accepted');
  assert.strictEqual(await joined(['HTTP/1.1 103 Early Hints', 'Link: </a>', '', ...SWITCH]), 'accepted');
  assert.strictEqual(await joined([...SWITCH.slice(0, 2), 'Connection: keep-alive', ...SWITCH.slice(2)]), 'accepted');
  const failed = (why) => `ERR_HANDSHAKE_FAILED: No WebSocket handshake: ${why}`;
  assert.strictEqual(await joined([...SWITCH, `x: ${'y'.repeat(70_000)}`]), failed("the answer's head is too long"));
  assert.strictEqual(
    await joined([...SWITCH, 'Sec-WebSocket-Protocol: chat']),
    failed('it uses a subprotocol that was not offered')
  );
  assert.strictEqual(
    await joined([...SWITCH, 'Sec-WebSocket-Extensions:', 'Sec-WebSocket-Extensions: permessage-deflate']),
    failed('it uses an extension that was not offered')
  );
  assert.strictEqual(
    await joined([...SWITCH.slice(0, 3), 'Sec-WebSocket-Accept: something']),
    failed('it does not know the key')
  );
  assert.strictEqual(await joined([SWITCH[0], ...SWITCH.slice(2)]), failed('it switches to something else'));
});
