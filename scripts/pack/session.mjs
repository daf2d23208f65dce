// Runs in the empty project of pack-test.js: the entries for import, and two hosts that talk.

import assert from 'node:assert';
import { createRequire } from 'node:module';
import distribus, { Host, Peer } from 'distribus';
import DeepHost from 'distribus/lib/Host';
import DeepPeer from 'distribus/lib/Peer.js';

const required = createRequire(import.meta.url)('distribus');
assert.strictEqual(distribus.Host, Host);
assert.strictEqual(required.Host, Host, 'import and require must give the same classes');
assert.strictEqual(DeepHost, Host);
assert.strictEqual(DeepPeer, Peer);

const [one, two] = [new Host(), new Host()];
const received = new Promise((resolve) => one.subscribe('news', resolve));
await one.listen('localhost', 0);
await two.join(one.url);
two.publish('news', 'from an ES module');
assert.strictEqual(await received, 'from an ES module');
await two.close();
await one.close();
