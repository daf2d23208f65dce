import type { Host, Peer, HostOptions } from 'distribus';

export function name(host: Host, options: HostOptions): Peer<string> {
  return host.create<string>(options.networkId);
}
