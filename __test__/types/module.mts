// Checked by the compiler, never run.
import distribus, { Host, Peer, Promise, type DistribusError, type HostOptions } from 'distribus';

const options: HostOptions = { reconnectTimeout: 1 };
const host: Host = new Host(options);
const peer: Peer<string> = host.create<string>('a');
peer.on('message', (from, message) => message.toUpperCase());
const same: boolean = distribus.Host === Host && distribus.Peer === Peer && distribus.Promise === Promise;
await host.listen('localhost', 0).catch((err: DistribusError) => err.syscall);
// @ts-expect-error The port cannot be left out.
host.listen('localhost').catch(() => {});
export { same };
