// Checked by the compiler, never run.
import distribus = require('distribus');

interface Question {
  text: string;
}
interface Answer {
  yes: boolean;
}

const host = new distribus.Host({ networkId: 'n', reconnectDelay: 10, requestTimeout: 100, mine: [1] });
const peer = host.create<Question, Answer>('a');

peer.on('message', (from, question) => {
  const text: string = question.text;
  const sent: PromiseLike<null | undefined> = peer.send(from, { yes: text === '' });
  sent.then(() => {});
  // @ts-expect-error a message that this peer does not send
  peer.send(from, { no: true });
  // @ts-expect-error a member that a question does not have
  question.yes;
});
peer
  .on('other', () => {})
  .once('message', () => {})
  .off('message', () => {})
  .removeAllListeners();
peer
  .handle(async (from, question) => ({ yes: question.text === '' }))
  .handle(() => ({ yes: true }))
  .handle(null);
// @ts-expect-error not an answer
peer.handle(() => ({ no: true }));
// @ts-expect-error not a function
peer.handle(1);
const reply: PromiseLike<Question> = peer.request(
  'b',
  { yes: true },
  { timeout: 10, signal: new AbortController().signal }
);
const length: PromiseLike<number> = peer.request<string>('b').then((text) => text.length);
// @ts-expect-error a message that this peer does not send
peer.request('b', 7);
// @ts-expect-error not a number
peer.request('b', { yes: true }, { timeout: '10' });
const there: boolean = peer.emit('message', 'b', { text: '' });
const count: number = peer.listenerCount('message');
// @ts-expect-error not a function
peer.on('message', 1);
// @ts-expect-error read only
peer.id = 7;

const found: PromiseLike<string | null> = host.find('b');
const self: PromiseLike<distribus.Host> = host.listen('localhost', 0, { bind: '127.0.0.1' });
host.join('ws://localhost:3000').finally(() => host.close());
host.join('localhost', 3000).finally(() => {});
// @ts-expect-error a port must be a number or a string
host.join('localhost', {});
host.list().then((ids) => ids.length);
host.subscribe<Question>('c', (message) => message.text);
host.publish<Question>('c', { text: '' });
// @ts-expect-error not a question
host.publish<Question>('c', { yes: true });
const maybe: distribus.Peer | null = host.get('a');
host.remove(peer);
host.remove('a');
const delay: number | undefined = host.config().reconnectDelay;
// @ts-expect-error not a number
host.config({ requestTimeout: '1' });
for (const key of Object.keys(host.connections)) host.connections[key].close();
host.server?.close();

host.join(['ws://localhost:3000', 'ws://localhost:3001']).then((joined: distribus.Host) => joined);
host.join(['localhost'] as const, 3000).finally(() => {});
// @ts-expect-error not a string
host.join([1]);
const members: string[] = host.hosts().map(({ url, id, connected }) => (connected ? (url ?? id ?? '') : ''));
host
  .on('join', (url: string | null, id: string | null) => [url, id])
  .once('leave', function (url) {
    this.close();
    return url?.length;
  });
host
  .on('unreachable', (url, err) => [url.length, err.code])
  .prependListener('error', (err) => err.errors?.map(({ url, code }) => url + code));
host
  .addListener('disconnect', (url) => url)
  .off('disconnect', () => {})
  .removeListener('reconnect', () => {})
  .removeAllListeners();
host.on('mine', (anything: number) => anything);
// @ts-expect-error not a function
host.on('join', 1);
const listening: number = host.listenerCount('join') + host.listeners('join').length;
const disposed: PromiseLike<void> = host[Symbol.asyncDispose]();
const disposable: AsyncDisposable = host;
host.url = null;

host.config({
  maxPayload: 2 ** 20,
  maxIdLength: 100,
  maxQueueBytes: 2 ** 20,
  maxInFlight: 10,
  maxAddresses: 1,
  maxSubscriptions: 1,
  maxConnections: 1,
  maxPendingHandshakes: 1,
  maxStrangerBytes: 2 ** 20,
  maxBufferBytes: 2 ** 20,
  dial: (url) => url.startsWith('ws:')
});
host.config({ handshakeTimeout: 1000, offline: 'queue' });
host.config({ heartbeatInterval: 1000, heartbeatTimeout: 3000 });
// @ts-expect-error
host.config({ heartbeatInterval: '1s' });
host.on('stalled', (url, id, ms) => (url ?? id ?? '') + ms.toFixed());
// @ts-expect-error neither of the two
host.config({ offline: 'wait' });
const more: boolean = host.publish('c', 1);
peer.send('b', { yes: true }, { offline: 'queue' }).then(() => host.send('a', 'b', 1, { offline: 'reject' }));
host
  .on('slow', (url) => url.length)
  .on('drain', () => {})
  .on('drop', (url, channel, count) => url + channel + count.toFixed());
host.on('gap', (url, count) => (count === null ? url : count.toFixed()));
const drained: PromiseLike<distribus.Host> = host.drain({ timeout: 10 });
// @ts-expect-error not a number
host.drain({ timeout: '10' });
const queued: number[] = Object.values(host.stats().links).map((link) => link.queuedBytes);
const delivered: number = host.stats().outcomes.delivered;

class MyHost extends distribus.Host {
  constructor() {
    super({ reconnectDelay: 1 });
  }
}
new MyHost().close().then((closed: MyHost) => closed);

host.send('a', 'b', 1).catch((err: distribus.DistribusError) => {
  if (err.code === 'ERR_PEER_NOT_FOUND') return err.cause;
});
new distribus.Promise<void>((resolve) => resolve()).done();
export {
  reply,
  length,
  there,
  count,
  found,
  self,
  maybe,
  delay,
  members,
  listening,
  disposed,
  disposable,
  more,
  drained,
  queued,
  delivered
};
