import distribus, { Host, Peer, Promise as Bluebird, type Id } from 'distribus';
import DeepHost from 'distribus/lib/Host';
import DeepPeer from 'distribus/lib/Peer.js';
import DeepPromise from 'distribus/lib/Promise';

const id: Id = 7;
const host: Host = new distribus.Host();
const peer: Peer = host.create(id);
const deep: DeepHost = new DeepHost();
const same: Host = deep;
const stray: DeepPeer<string> = new DeepPeer<string>('stray');
const promise: Bluebird<number> = DeepPromise.resolve(1);
export { peer, same, stray, promise };
