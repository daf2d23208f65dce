'use strict';
// Urls with credentials: `ws://user:password@host:port`.

const test = require('node:test');
const assert = require('node:assert');
const http = require('node:http');
const net = require('node:net');
const { spawnSync } = require('node:child_process');
const { inspect } = require('node:util');
const { listening, original, ours, closeOriginal, freePort, sever, until } = require('./support.js');

const options = { timeout: 30_000 };
const SECRET = 'pa:ss w@rd/ü';
const BASIC = `Basic ${Buffer.from(`lucy:${SECRET}`).toString('base64')}`;
const USERINFO = `lucy:${encodeURIComponent(SECRET)}`;

/** An HTTP proxy before a host: it lets in who knows the password, and notes what it was shown. */
async function proxy(t, target) {
  const shown = [];
  const sockets = new Set();
  const server = http.createServer((request, response) => response.end());
  server.on('upgrade', (request, socket, head) => {
    shown.push(request.headers.authorization);
    if (request.headers.authorization !== BASIC) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="hosts"\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const behind = net.connect(target.port, '127.0.0.1');
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let n = 0; n < request.rawHeaders.length; n += 2) {
      if (!/^authorization$/i.test(request.rawHeaders[n]))
        lines.push(`${request.rawHeaders[n]}: ${request.rawHeaders[n + 1]}`);
    }
    behind.write(`${lines.join('\r\n')}\r\n\r\n`);
    behind.write(head);
    for (const [one, other] of [
      [socket, behind],
      [behind, socket]
    ]) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address();
  return { shown, port, url: `ws://127.0.0.1:${port}/`, at: (userinfo) => `ws://${userinfo}@127.0.0.1:${port}/` };
}

/** Everything that a program can see of a host, as text. */
function visible(host) {
  return inspect(
    [
      host.url,
      host.address,
      host.connections,
      host.timers,
      host.addresses,
      host.hosts(),
      host.options,
      host.stats(),
      host
    ],
    { depth: 6, showHidden: true }
  );
}

const secrets = [SECRET, encodeURIComponent(SECRET), 'lucy:', BASIC.slice(6)];
function assertNoSecret(text) {
  for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} stands in ${text}`);
}

test(
  'a host behind a proxy that wants a password is joined, and joined again when the connection is lost',
  options,
  async (t) => {
    const a = await listening(t);
    const { at, url, shown } = await proxy(t, a);
    const b = new ours.Host({ reconnectDelay: 10 });
    t.after(() => b.close());
    a.create('a').on('message', () => {});
    await b.join(at(USERINFO));
    assert.deepStrictEqual(Object.keys(b.connections), [url]);
    assert.strictEqual(await b.send('b', 'a', 1), null);
    const back = new Promise((resolve) => b.once('reconnect', resolve));
    sever(b);
    await back;
    assert.strictEqual(await b.send('b', 'a', 2), null);
    assert.deepStrictEqual(shown, [BASIC, BASIC]);
    // A url that is shown can be joined again.
    await b.join(url);
  }
);

test('nobody is told of credentials: neither the program nor another host', options, async (t) => {
  const a = await listening(t);
  const c = await listening(t);
  await c.join(a.url);
  const { at, url } = await proxy(t, a);
  const b = await listening(t, { reconnectDelay: 60_000 });
  const told = [];
  for (const host of [a, b, c]) {
    for (const event of ['join', 'leave', 'disconnect', 'reconnect', 'unreachable', 'error'])
      host.on(event, (...args) => told.push(event, ...args));
  }
  await b.join([at(USERINFO), at(USERINFO).replace(/:\d+\/$/, ':1/')]);
  await until(() => a.hosts().length === 2 && c.hosts().length === 2 && told.includes('unreachable'));
  const lost = new Promise((resolve) => b.once('disconnect', resolve));
  assertNoSecret([a, b, c].map(visible).join());
  b.connections[url].close();
  await lost;
  assert.ok(Object.keys(b.timers).length > 0);
  assertNoSecret([a, b, c].map(visible).join() + inspect(told, { depth: 5 }));
});

test('a wrong password is an error without the password, and the right one is used next', options, async (t) => {
  const a = await listening(t);
  const { at, url, port, shown } = await proxy(t, a);
  const b = new ours.Host();
  t.after(() => b.close());
  await assert.rejects(b.join(at('lucy:wrong%20secret')), (err) => {
    assert.deepStrictEqual(
      [err.code, err.message],
      ['ERR_UNEXPECTED_RESPONSE', `Unexpected server response: 401 (url: ${url})`]
    );
    return true;
  });
  await assert.rejects(b.join([at('lucy:wrong%20secret')]), (err) => {
    assert.ok(!inspect(err, { depth: 5 }).includes('wrong'));
    return err.code === 'ERR_JOIN_FAILED' && err.errors[0].url === url;
  });
  // What was of no use is forgotten.
  await assert.rejects(b.join(url), { code: 'ERR_UNEXPECTED_RESPONSE' });
  await b.join(`${USERINFO}@127.0.0.1`, port);
  const wrong = `Basic ${Buffer.from('lucy:wrong secret').toString('base64')}`;
  assert.deepStrictEqual(shown, [wrong, wrong, undefined, BASIC]);
});

test('a name without a password is shown with a colon after it', options, async (t) => {
  const { at, shown } = await proxy(t, await listening(t));
  const b = new ours.Host();
  await assert.rejects(b.join(at('lucy')), { code: 'ERR_UNEXPECTED_RESPONSE' });
  await assert.rejects(b.join(at('lucy%40home:')), { code: 'ERR_UNEXPECTED_RESPONSE' });
  assert.deepStrictEqual(
    shown,
    ['bHVjeTo=', Buffer.from('lucy@home:').toString('base64')].map((pair) => `Basic ${pair}`)
  );
});

test('a 0.4.0 host shows the same to the same proxy', options, async (t) => {
  const a = await listening(t);
  const { at, shown } = await proxy(t, a);
  const b = new original.Host();
  t.after(() => closeOriginal(b));
  await b.listen('127.0.0.1', await freePort());
  await b.join(at(USERINFO));
  assert.deepStrictEqual(shown, [BASIC]);
});

test('a url that is none is refused without what may be a password', options, async () => {
  const host = new ours.Host();
  const urls = [
    'ws://lucy:sec/ret@host:1/',
    'ws://lucy:sec#ret@host',
    'ws://lucy:secret%@host',
    'http://lucy:secret@host',
    'lucy:secret@host:1',
    'ws://lucy:secret@host:99999',
    'ws://lucy:secret@',
    'wss://lucy:secret@host',
    'ws:/lucy:secret@host',
    ' ws://lucy:secret@host',
    'ws://lucy:secret@ho st',
    `ws://lucy:${'secret'.repeat(1000)}@host`
  ];
  for (const url of urls) {
    for (const target of [url, [url]]) {
      await assert.rejects(host.join(target), (err) => {
        const text = inspect(err, { depth: 5 }).replace(/\n +at .*/g, '');
        assert.ok(!/lucy|sec|ret/.test(text.replace('credentials', '')), text);
        assert.match(err.errors?.[0].code ?? err.code, /^ERR_(INVALID_URL|TLS_UNSUPPORTED)$/, url);
        return true;
      });
    }
  }
  await assert.rejects(
    host.listen('lucy:secret@host', 0),
    (err) => err instanceof TypeError && !err.message.includes('secret')
  );
  host.url = 'ws://lucy:secret@host:1';
  assert.strictEqual(host.url, 'ws://host:1');
});

test('an @ in the path of a url is no credentials', options, async (t) => {
  const a = await listening(t);
  const b = new ours.Host();
  t.after(() => b.close());
  await b.join(`${a.url}/@scope/x@y`);
  assert.deepStrictEqual(Object.keys(b.connections), [`${a.url}/@scope/x@y`]);
});

test('the log of NODE_DEBUG shows no credentials', { timeout: 60_000 }, () => {
  const text = `const { Host } = require(${JSON.stringify(require.resolve('..'))}); const host = new Host();
    const urls = ['ws://lucy:secret@127.0.0.1:1/', 'ws://lucy:sec/ret@host', 'lucy:secret@host'];
    Promise.allSettled([...urls.map((url) => host.join(url)), host.join(urls.slice(0, 1))]).then(() => process.exit());`;
  const { stderr } = spawnSync(process.execPath, ['-e', text], {
    encoding: 'utf8',
    env: { ...process.env, NODE_DEBUG: 'distribus' }
  });
  assert.match(stderr, /could not join ws:\/\/127\.0\.0\.1:1\//);
  assert.ok(!/lucy|sec|ret@/.test(stderr), stderr);
});
