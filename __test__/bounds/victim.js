'use strict';
// The process that is attacked: an ordinary host with 512 MB of heap. It says on which port it listens, and collects its garbage when asked.

const { Host } = require('../..');

const host = new Host({ reconnectTimeout: 3000, reconnectDelay: 500, ...JSON.parse(process.argv[2] ?? '{}') });
const PEERS = Number(process.argv[3] ?? 1000);

host.on('error', () => {}); // What is reported is not what is measured here.
for (let n = 0; n < PEERS; n++) host.create(`peer ${n}`).on('message', () => {});
host.create('here').on('message', (_from, message) => message);
host.create('slow').on('message', () => new Promise((resolve) => setTimeout(resolve, 50)));
host.create('never').on('message', () => new Promise(() => {}));
host.subscribe('news', () => {});
host.subscribe('news.*', () => {});
host.subscribe('jobs', () => {}, { group: 'workers' });

/** @type {Record<string, () => void>} */
const acts = {
  memory: () => global.gc?.(),
  /** Something to say for whoever listens, for a while. */
  publish: () => {
    for (let n = 0; n < 1000; n++) host.publish('loud', 'x'.repeat(1000));
  },
  /** Asks who is there, and does not look at the answers. */
  watch: () => void host.watch('told *'),
  list: () => void host.list('told *').catch(() => {}),
  /** Peers come and go, and whoever watches has to be told. */
  create: () => {
    for (let n = 0; n < 100; n++) host.remove(host.create(`new ${n}`));
  }
};
process.on('disconnect', () => process.exit());
process.on('message', (act) => {
  const before = performance.now();
  acts[String(act)]?.();
  process.send?.({ took: performance.now() - before, rss: process.memoryUsage.rss() });
});
host.listen(process.argv[4] ?? '127.0.0.1', 0).then(() => process.send?.({ port: host.port, url: host.url }));
