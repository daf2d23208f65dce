'use strict';
// Requests and their replies, between peers of one host and of two.

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { once, getEventListeners } = require('node:events');
const { spawn } = require('node:child_process');
const { ours: distribus, besideOriginal, listening, next, until } = require('./support.js');

const options = { timeout: 120_000 };

/** Two peers, 'asks' and 'answers', on one host or on two. */
async function peers(t, where, config) {
  const one = await listening(t, config);
  const two = where === 'local' ? one : await listening(t, config);
  if (two !== one) await two.join(one.url);
  const answers = one.create('answers');
  return { one, two, answers, asks: two.create('asks') };
}

/** A handler whose calls wait until the test lets them go. */
function slow() {
  const calls = [];
  const handler = (from, message) => new Promise((resolve, reject) => calls.push({ from, message, resolve, reject }));
  return { calls, handler };
}

for (const where of ['local', 'remote']) {
  const both = (name, body) => test(`${where}: ${name}`, options, (t) => body(t));

  both('a request is answered by what the handler returns, or its promise resolves with', async (t) => {
    const { asks, answers } = await peers(t, where);
    const heard = [];
    assert.strictEqual(
      answers.handle((from, message) => {
        heard.push([from, message]);
        return message + 1;
      }),
      answers
    );
    assert.strictEqual(await asks.request('answers', 1), 2);
    answers.handle(async (from, message) => ({ from, twice: message * 2 }));
    assert.deepStrictEqual(await asks.request('answers', 21), { from: 'asks', twice: 42 });
    assert.deepStrictEqual(heard, [['asks', 1]]);
  });

  both('all forms of messages go there and back', async (t) => {
    const { asks, answers } = await peers(t, where);
    const seen = [];
    answers.handle((from, message) => {
      seen.push(message);
      return message;
    });
    const long = 'é"\\'.repeat(1000);
    const values = [null, undefined, 0, '', 'x', long, [1, [2]], { a: { b: [] } }, '\ud800', false, true];
    for (const value of values) assert.deepStrictEqual(await asks.request('answers', value), value);
    assert.deepStrictEqual(seen, values);
    for (const bytes of [Buffer.from([0, 255]), Buffer.alloc(100_000, 7), new Uint8Array([1, 2])]) {
      const reply = await asks.request('answers', bytes);
      assert.ok(reply instanceof Uint8Array);
      assert.strictEqual(Buffer.isBuffer(reply), Buffer.isBuffer(bytes));
      assert.deepStrictEqual(Buffer.from(reply), Buffer.from(bytes));
      assert.strictEqual(Buffer.isBuffer(seen.pop()), Buffer.isBuffer(bytes));
    }
  });

  both('a handler that throws or rejects rejects the requester with its message', async (t) => {
    const { asks, answers } = await peers(t, where);
    for (const handler of [
      () => {
        throw new Error('no luck');
      },
      async () => {
        throw new Error('no luck');
      },
      () => {
        throw 'no luck';
      },
      () => Promise.reject('no luck')
    ]) {
      answers.handle(handler);
      await assert.rejects(asks.request('answers', 1), { name: 'Error', code: 'ERR_HANDLER', message: 'no luck' });
    }
  });

  both('who has no handler is another error than who is not there', async (t) => {
    const { asks, answers } = await peers(t, where);
    const refused = { code: 'ERR_NO_HANDLER', message: 'Peer answers no requests (id: answers)' };
    await assert.rejects(asks.request('answers', 1), refused);
    answers.handle(() => 1);
    assert.strictEqual(await asks.request('answers'), 1);
    answers.handle(() => 2);
    assert.strictEqual(await asks.request('answers'), 2);
    for (const none of [null, undefined]) {
      answers.handle(() => 1).handle(none);
      await assert.rejects(asks.request('answers', 1), refused);
    }
    const missing = { code: 'ERR_PEER_NOT_FOUND', message: 'Peer not found (id: nobody)' };
    await assert.rejects(asks.request('nobody', 1), missing);
  });

  both('requests and messages are different things', async (t) => {
    const { asks, answers } = await peers(t, where);
    answers.on('message', () => assert.fail('a request is no message'));
    let handled = 0;
    answers.handle(() => ++handled);
    assert.strictEqual(await asks.request('answers', 1), 1);
    answers.removeAllListeners();
    assert.strictEqual(await asks.request('answers', 1), 2);
    assert.deepStrictEqual(answers.listeners('message'), []);
    const heard = next(answers);
    await asks.send('answers', 'm');
    assert.deepStrictEqual(await heard, { from: 'asks', message: 'm' });
    assert.strictEqual(handled, 2);
  });

  both('requests and messages keep their order', async (t) => {
    const { asks, answers } = await peers(t, where);
    const heard = [];
    answers.on('message', (from, message) => heard.push(message));
    answers.handle((from, message) => {
      heard.push(message);
    });
    const all = [];
    for (let n = 0; n < 3000; n++) all.push(n % 3 === 0 ? asks.request('answers', n) : asks.send('answers', n));
    await Promise.all(all);
    assert.deepStrictEqual(
      heard,
      Array.from({ length: 3000 }, (_, n) => n)
    );
  });

  both('10,000 requests at once, answered in any order', async (t) => {
    const { asks, answers } = await peers(t, where);
    answers.handle((from, n) => {
      if (n % 3 === 0) return -n;
      if (n % 3 === 1) return Promise.resolve(-n);
      return new Promise((resolve) => setTimeout(resolve, n % 50, -n));
    });
    const replies = await Promise.all(Array.from({ length: 10_000 }, (_, n) => asks.request('answers', n + 1)));
    replies.forEach((reply, n) => assert.strictEqual(reply, -n - 1));
  });

  both('nobody waits longer than the timeout', async (t) => {
    const { asks, answers, two } = await peers(t, where);
    const { calls, handler } = slow();
    answers.handle(handler);
    const late = { code: 'ERR_REQUEST_TIMEOUT', message: 'Timeout' };
    await assert.rejects(asks.request('answers', 1, { timeout: 20 }), late);
    await until(() => calls.length === 1);
    calls[0].resolve('late');
    two.config({ requestTimeout: 20 });
    await assert.rejects(asks.request('answers', 2), late);
    const patient = asks.request('answers', 3, { timeout: 60_000 });
    await until(() => calls.length === 3);
    await assert.rejects(asks.request('answers', 4), late);
    calls[2].resolve('at last');
    assert.strictEqual(await patient, 'at last');
  });

  both('a signal ends the waiting, and lets go of the request', async (t) => {
    const { asks, answers } = await peers(t, where);
    const { calls, handler } = slow();
    answers.handle(handler);
    const controller = new AbortController();
    const { signal } = controller;
    const request = asks.request('answers', 1, { signal });
    await until(() => calls.length === 1);
    const reason = new Error('enough');
    controller.abort(reason);
    await assert.rejects(request, { name: 'AbortError', code: 'ABORT_ERR', cause: reason });
    calls[0].resolve('late');
    await assert.rejects(asks.request('answers', 2, { signal }), {
      name: 'AbortError',
      code: 'ABORT_ERR',
      cause: reason
    });
    answers.handle((from, message) => message);
    assert.strictEqual(await asks.request('answers', 3), 3);
    assert.strictEqual(calls.length, 1, 'what was aborted before is not sent');

    const other = new AbortController().signal;
    let warned;
    process.on('warning', (warning) => {
      warned = warning;
    });
    answers.handle(async (from, message) => message);
    const many = Array.from({ length: 100 }, (_, n) => asks.request('answers', n, { signal: other }));
    assert.ok(getEventListeners(other, 'abort').length > 0);
    await Promise.all(many);
    assert.strictEqual(getEventListeners(other, 'abort').length, 0);
    await new Promise(setImmediate);
    assert.strictEqual(warned, undefined);
  });

  both('bad arguments are refused', async (t) => {
    const { asks, answers } = await peers(t, where);
    for (const bad of [1, 'x', {}, true])
      assert.throws(() => answers.handle(bad), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    answers.handle(() => assert.fail('nothing is sent'));
    const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    const value = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
    await assert.rejects(asks.request('answers', 1, 5), type);
    await assert.rejects(asks.request('answers', 1, { timeout: '5' }), type);
    await assert.rejects(asks.request('answers', 1, { signal: {} }), type);
    for (const timeout of [0, -1, NaN, -Infinity]) await assert.rejects(asks.request('answers', 1, { timeout }), value);
    const stray = new distribus.Peer('stray', () => {});
    assert.throws(() => stray.request('answers', 1), { code: 'ERR_NO_HOST' });
  });

  both('close settles what waits', async (t) => {
    const { asks, answers, two } = await peers(t, where);
    const { calls, handler } = slow();
    answers.handle(handler);
    const request = asks.request('answers', 1);
    await until(() => calls.length === 1);
    const closed = assert.rejects(request, { code: 'ERR_HOST_CLOSED', message: 'Host closed' });
    await two.close();
    await closed;
    calls[0].resolve('nobody waits');
  });

  both('a peer that was removed still gets its replies', async (t) => {
    const { asks, answers, two } = await peers(t, where);
    const { calls, handler } = slow();
    answers.handle(handler);
    const request = asks.request('answers', 1);
    await until(() => calls.length === 1);
    two.remove(asks);
    calls[0].resolve('reply');
    assert.strictEqual(await request, 'reply');
    const again = asks.request('answers', 2);
    await until(() => calls.length === 2);
    answers.handle(null);
    calls[1].resolve('also without a handler by now');
    assert.strictEqual(await again, 'also without a handler by now');
  });

  both('promises are of the class that the host was told', async (t) => {
    const { asks, answers, two } = await peers(t, where);
    answers.handle(() => 1);
    const { Promise: Bluebird } = distribus;
    for (const to of ['answers', 'nobody']) {
      const request = asks.request(to, 1);
      assert.ok(request instanceof Bluebird);
      await request.catch(() => {});
    }
    two.config({ Promise });
    const request = asks.request('answers', 1);
    assert.ok(request instanceof Promise);
    assert.strictEqual(await request, 1);
  });
}

test('local: the handler is called at once, by reference', options, async () => {
  const host = new distribus.Host();
  const [asks, answers] = [host.create('asks'), host.create('answers')];
  const [message, reply] = [{}, {}];
  let heard;
  answers.handle((from, m) => {
    heard = m;
    return reply;
  });
  const request = asks.request('answers', message);
  assert.strictEqual(heard, message);
  assert.strictEqual(await request, reply);
  const err = new TypeError('mine');
  answers.handle(async () => {
    throw err;
  });
  await assert.rejects(asks.request('answers', message), { code: 'ERR_HANDLER', message: 'mine', cause: err });
});

test('peers that do not handle anything are as small as before', () => {
  const host = new distribus.Host();
  const peer = host.create('p');
  assert.deepStrictEqual(Object.keys(peer), ['id']);
  assert.deepStrictEqual(Object.getOwnPropertySymbols(peer), []);
});

test('what JSON cannot carry is refused, there and here', options, async (t) => {
  const { asks, answers } = await peers(t, 'remote');
  const warnings = [];
  const listener = (warning) => warnings.push(warning.message);
  process.on('warning', listener);
  t.after(() => process.off('warning', listener));
  const circle = {};
  circle.circle = circle;
  answers.handle(() => circle);
  await assert.rejects(asks.request('answers', circle), { code: 'ERR_MESSAGE_NOT_SERIALIZABLE' });
  await assert.rejects(asks.request('answers', 1), { code: 'ERR_HANDLER', message: /^JSON cannot carry this message/ });
  await until(() => warnings.length > 0);
  assert.match(warnings[0], /^The reply of peer answers cannot be sent/);
  answers.handle(async (from, n) => (n === 1 ? 10n : n));
  const replies = await Promise.allSettled([0, 1, 2].map((n) => asks.request('answers', n)));
  assert.deepStrictEqual(
    replies.map((r) => r.status),
    ['fulfilled', 'rejected', 'fulfilled']
  );
});

test('an original host gets no request', options, async (t) => {
  const [one, two] = await besideOriginal(t);
  const peer = one.create('old');
  const heard = [];
  peer.on('message', (from, message) => heard.push(message));
  const asks = two.create('asks');
  const refused = { code: 'ERR_REQUEST_NOT_SUPPORTED', message: 'The host of that peer knows no requests (id: old)' };
  await assert.rejects(asks.request('old', 1), refused);
  await assert.rejects(asks.request('old', 2), refused);
  await asks.send('old', 3);
  assert.deepStrictEqual(heard, [3]);
});

test('who leaves does not answer any more', options, async (t) => {
  const { asks, answers, one } = await peers(t, 'remote');
  const { calls, handler } = slow();
  answers.handle(handler);
  const request = asks.request('answers', 1);
  await until(() => calls.length === 1);
  const gone = assert.rejects(request, { code: 'ERR_DELIVERY_UNKNOWN' });
  await one.close();
  await gone;
  calls[0].resolve('nobody hears it');
});

test('a lost connection does not matter when it comes back', options, async (t) => {
  const { asks, answers, one, two } = await peers(t, 'remote', { reconnectDelay: 10 });
  const { calls, handler } = slow();
  answers.handle(handler);
  const requests = [1, 2, 3].map((n) => asks.request('answers', n));
  await until(() => calls.length === 3);
  Object.values(one.connections)[0].close();
  for (const call of calls) call.resolve(-call.message);
  assert.deepStrictEqual(await Promise.all(requests), [-1, -2, -3]);
  assert.strictEqual(Object.keys(two.connections).length, 1);
});

test('a crash of the answering process settles its requests when it is given up', options, async (t) => {
  const script = `
    const { Host } = require(${JSON.stringify(path.join(__dirname, '..'))});
    const host = new Host();
    host.create('answers').handle(() => new Promise(() => { process.send('asked'); }));
    host.listen('127.0.0.1', 0).then(() => process.send(host.url));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  t.after(() => child.kill('SIGKILL'));
  const [url] = await once(child, 'message');
  const host = await listening(t, { reconnectDelay: 10, reconnectTimeout: 200 });
  await host.join(url);
  const asked = once(child, 'message');
  const request = host.create('asks').request('answers', 1);
  await asked;
  child.kill('SIGKILL');
  await assert.rejects(request, { code: 'ERR_DELIVERY_UNKNOWN' });
});

test('a request that waits keeps its process, and one that is over lets it end', options, async () => {
  const script = `
    const { Host } = require(${JSON.stringify(path.join(__dirname, '..'))});
    const host = new Host();
    const [asks, answers] = [host.create('a'), host.create('b')];
    answers.handle((from, ms) => new Promise((resolve) => setTimeout(resolve, ms, ms).unref()));
    asks.request('b', 50, { timeout: 600000 }).then(console.log);`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  const [code] = await once(child, 'close');
  assert.strictEqual(code, 0);
  assert.strictEqual(output, '50\n');
});
