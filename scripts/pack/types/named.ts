import { Host, Peer, Promise as Bluebird, type DistribusError, type HostOptions, type HostPromise } from 'distribus';

interface Order {
  coffee: string;
}
interface Receipt {
  price: number;
}

const options: HostOptions = { reconnectDelay: 100, requestTimeout: Infinity };
const host: Host = new Host(options);
const barista: Peer<Order, Receipt> = host.create<Order, Receipt>('barista');
barista.on('message', (from, order) => barista.send(from, { price: order.coffee.length }));
barista.handle((from, order) => ({ price: order.coffee.length }));

// @ts-expect-error not an order
barista.on('message', (from, order) => order.tea);
// @ts-expect-error not a receipt
barista.send('guest', { coffee: 'black' });

class Guest extends Peer<Receipt, Order> {
  order(coffee: string): Promise<Receipt> {
    return this.request('barista', { coffee });
  }
}

class Café extends Host {
  constructor(readonly name: string) {
    super({ networkId: name });
  }

  async listen(): Promise<this> {
    await super.listen('localhost', 0);
    return this;
  }

  async close(): Promise<this> {
    await super.close();
    return this;
  }

  async drain(limits?: { timeout?: number } | null): Promise<this> {
    return super.drain(limits);
  }

  async find(id: string): Promise<string | null> {
    return super.find(id);
  }

  override send(from: string, to: string, message: unknown) {
    return super.send(from, to, message);
  }
}

async function main(): Promise<void> {
  const café: Café = await new Café('corner').listen();
  const native: Promise<Host> = host.join(new URL('ws://localhost:3000'));
  const chained: HostPromise<string> = host
    .list('*')
    .then((ids) => ids.join())
    .catch((err: DistribusError) => err.code)
    .finally(() => {});
  const bluebird: Bluebird<Host> = Bluebird.resolve(host.close()).timeout(100);
  host.close().done();
  const { price } = await barista.request<Receipt>(
    'cashier',
    { price: 1 },
    { timeout: Infinity, signal: new AbortController().signal }
  );
  for await (const { type, id } of host.watch('barista.*')) if (type === 'leave') await host.send('me', id, price);
  host
    .on('join', (url) => url?.length)
    .prependOnceListener('error', (err) => err.code)
    .emit('mine', 1);
  host.setMaxListeners(host.getMaxListeners() + host.eventNames().length + host.rawListeners('join').length);
  await globalThis.Promise.all([native, chained, bluebird, café.close()]);
}

void main();
export { Guest, main };
