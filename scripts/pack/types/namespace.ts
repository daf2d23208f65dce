import * as distribus from 'distribus';

const host: distribus.Host = new distribus.Host();
const peer: distribus.Peer = host.create('a');
const promise: distribus.Promise<void> = distribus.Promise.resolve();
export { host, peer, promise };
