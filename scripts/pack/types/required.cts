import distribus = require('distribus');
import DeepHost = require('distribus/lib/Host');
import DeepPeer = require('distribus/lib/Peer.js');
import DeepPromise = require('distribus/lib/Promise');
import again = require('distribus/index');

const host: distribus.Host = new distribus.Host({ reconnectDelay: 100 });
const peer: distribus.Peer<string> = host.create<string>('a');
peer.send('b', 1).then(() => host.close());
const deep: DeepHost = new DeepHost();
const same: distribus.Host = deep;
const stray: DeepPeer<string> = new DeepPeer<string>('stray');
const promise: distribus.Promise<number> = DeepPromise.resolve(1);
const other: again.Host = host;

// The old style of inheritance.
function Mine(this: object) {
  distribus.Host.call(this);
}
Mine.prototype = Object.create(distribus.Host.prototype);
export = { same, stray, promise, other, Mine };
