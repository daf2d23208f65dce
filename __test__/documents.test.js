'use strict';
// What the documents for authors of clients and of this library quote is what the code says.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { once } = require('node:events');
const { WebSocket, WebSocketServer } = require('ws');
const { listening } = require('./support.js');

/** What differs from host to host, by name. */
const random = (text) =>
  text
    .replace(/"[0-9a-f]{32}"/g, '"HOST"')
    .replace(/"[0-9a-f]{16}"/g, '"SESSION"')
    .replace(/ws:\/\/[\d.]+:\d+/g, 'URL')
    .replace(/"number":\d+/g, '"number":1');

const read = (file) => fs.readFileSync(path.join(__dirname, '..', file), 'utf8');

/** The example that follows that comment. */
function documented(name) {
  const [, json] = read('docs/internals/protocol-v2.md').match(
    new RegExp(`<!-- ${name} -->\\n\`\`\`json\\n(.*)\\n\`\`\``)
  );
  return JSON.parse(random(json));
}

test(
  'the greeting and the answer in docs/internals/protocol-v2.md are those of two hosts of this version',
  { timeout: 30_000 },
  async (t) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    t.after(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    await once(server, 'listening');
    const [acceptor, member, joiner] = [await listening(t), await listening(t), await listening(t)];
    await member.join(acceptor.url);
    joiner.join(`ws://127.0.0.1:${server.address().port}`).catch(() => {}); // nobody answers
    const [socket] = await once(server, 'connection');
    const [greeting] = await once(socket, 'message');
    assert.deepStrictEqual(JSON.parse(random(String(greeting))), documented('greeting'));

    const client = new WebSocket(acceptor.url);
    t.after(() => client.terminate());
    await once(client, 'open');
    client.send(String(greeting));
    const [answer] = await once(client, 'message');
    assert.deepStrictEqual(JSON.parse(random(String(answer))), documented('answer'));
  }
);
