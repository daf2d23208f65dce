import Bluebird = require('bluebird');

declare namespace distribus {
  /** Bluebird's methods that native promises lack. They have no types here: `distribus.Promise.resolve(promise)` gives them theirs. */
  type BluebirdMethods = { [Method in Exclude<keyof Bluebird<any>, keyof globalThis.Promise<any>>]?: any };

  /**
   * A promise of a host: of `distribus.Promise`, which is bluebird, or of the class that the option `Promise` names. It is typed like a
   * native promise, so that it fits wherever one is expected, and a subclass may have `async` methods.
   */
  interface HostPromise<T> extends globalThis.Promise<T>, BluebirdMethods {
    then<A = T, B = never>(
      onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
      onRejected?: ((reason: any) => B | PromiseLike<B>) | null
    ): HostPromise<A | B>;
    catch<A = never>(onRejected?: ((reason: any) => A | PromiseLike<A>) | null): HostPromise<T | A>;
    finally(onFinally?: (() => void) | null): HostPromise<T>;
  }

  /**
   * Anything that names a peer or a channel. Names are compared as strings, so that `7` and `'7'` are the same; a peer's id keeps the
   * type that it was created with.
   */
  type Id = string | number | boolean | null | undefined;

  /** Codes of the errors with which promises of a host reject, or that its methods throw. docs/reference/errors.md explains each of them. */
  type ErrorCode =
    | 'ERR_PEER_NOT_FOUND'
    | 'ERR_PEER_UNREACHABLE'
    | 'ERR_LISTENER'
    | 'ERR_DELIVERY_UNKNOWN'
    | 'ERR_REQUEST_TIMEOUT'
    | 'ERR_HANDLER'
    | 'ERR_NO_HANDLER'
    | 'ERR_REQUEST_NOT_SUPPORTED'
    | 'ERR_NO_HOST'
    | 'ABORT_ERR'
    | 'ERR_MESSAGE_NOT_SERIALIZABLE'
    | 'ERR_HOST_CLOSED'
    | 'ERR_HOST_DRAINING'
    | 'ERR_DRAIN_TIMEOUT'
    | 'ERR_OVERLOADED'
    | 'ERR_TOO_MANY_MEMBERS'
    | 'ERR_TOO_MANY_WATCHES'
    | 'ERR_TOO_MANY_PEERS'
    | 'ERR_MESSAGE_TOO_LARGE'
    | 'ERR_ID_TOO_LONG'
    | 'ERR_CONNECTION_LOST'
    | 'ERR_REFUSED'
    | 'ERR_INVALID_URL'
    | 'ERR_TLS_UNSUPPORTED'
    | 'ERR_HANDSHAKE_TIMEOUT'
    | 'ERR_HANDSHAKE_FAILED'
    | 'ERR_DIAL_NOT_ALLOWED'
    | 'ERR_UNEXPECTED_RESPONSE'
    | 'ERR_JOIN_FAILED'
    | 'ERR_LISTENER_THREW'
    | 'ERR_BAD_PROPERTY'
    | 'ERR_URL_TAKEN'
    | 'ERR_NETWORK_ID_MISMATCH'
    | 'ERR_NETWORK_ID_SET'
    | 'ERR_ID_EXISTS'
    | 'ERR_SERVER_ALREADY_LISTENING'
    | 'ERR_INVALID_ARG_TYPE'
    | 'ERR_INVALID_ARG_VALUE'
    | 'ERR_ADDON_UNAVAILABLE';

  /** An error of a host. Failures of the operating system keep their codes, like `ECONNREFUSED`, and their facts. */
  interface DistribusError extends Error {
    code: ErrorCode | (string & {});
    cause?: unknown;
    /** The name of the failed system call, if one failed: `connect` or `listen`. */
    syscall?: string;
    address?: string;
    port?: number;
    /**
     * Of ERR_JOIN_FAILED: why each of the urls could not be joined, in their order. Each has its `url`.
     * Of a name with several addresses: why each of them could not be connected to. Each has its `address` and `port`.
     */
    errors?: DistribusError[];
    /** Of the errors in `errors`. */
    url?: string;
    /** Of ERR_DRAIN_TIMEOUT: how many messages were not acknowledged. */
    undelivered?: number;
    /** Of ERR_DRAIN_TIMEOUT: how many requests had no reply. */
    unanswered?: number;
  }

  /** Another host of the network. */
  interface Member {
    /** The url that it advertises, or by which it was dialled; null when it does not listen, or listens at the url of another host. */
    url: string | null;
    /** Names this incarnation: one life of a host, from its start to its end. Null for a 0.4.0 host. */
    id: string | null;
    /** Whether there is a connection. False while it is lost and this host tries to reconnect. */
    connected: boolean;
  }

  /** What the listeners of a host's events get. */
  interface HostEvents {
    /** A host has become a member of the network and is connected. */
    join: [url: string | null, id: string | null];
    /** A member is gone: it has said goodbye, was given up or started anew, or this host has closed. Exactly one for every join. */
    leave: [url: string | null, id: string | null];
    /** The connection with a member is lost. The host tries to reconnect. */
    disconnect: [url: string | null, id: string | null];
    /** The same member is connected again. */
    reconnect: [url: string | null, id: string | null];
    /** A host that other hosts know, or a further one of several to join, could not be connected to. It is tried again, unless it refused. */
    unreachable: [url: string, err: DistribusError];
    /** That host is connected, and its program has applied nothing for `ms` milliseconds. Emitted once, until the program goes on. */
    stalled: [url: string | null, id: string | null, ms: number];
    /** The queue for that host is so full that `publish` returns false. `url`, here and of `drop` and `gap`, is its key in `connections`: its id when it does not listen. */
    slow: [url: string];
    /** No queue is that full any more: `publish` returns true again. */
    drain: [];
    /** So many messages that were published here on that channel do not reach that host: its queue is full, they are too large, or it is gone. For a group: no member accepted them. */
    drop: [url: string, channel: any, count: number];
    /** So many messages that that host has published are missing here. Null: perhaps some, because the connection was lost for good. */
    gap: [url: string, count: number | null];
    /** Trouble that no promise and no caller reports. Without a listener it becomes a warning of the process. */
    error: [err: DistribusError];
  }

  interface SendOptions {
    /** What to do while the peer's host, or one that may be it, is lost: reject at once, or wait for it, for `requestTimeout` at most. Default: the host's `offline`. */
    offline?: 'reject' | 'queue';
  }

  /** How the sends and requests of this host to peers of other hosts have ended: how many in each way. */
  interface Outcomes {
    /** Sends that resolved with null. */
    delivered: number;
    /** Requests that were answered. */
    replied: number;
    /** Delivered; a listener or a handler threw. */
    threw: number;
    /** `ERR_NO_HANDLER` */
    noHandler: number;
    notFound: number;
    unreachable: number;
    overloaded: number;
    /** `ERR_MESSAGE_TOO_LARGE`, `ERR_ID_TOO_LONG` */
    tooLarge: number;
    notSerializable: number;
    notSupported: number;
    unknown: number;
    timeout: number;
    /** Requests that their signal ended. */
    aborted: number;
    /** `ERR_HOST_CLOSED`, `ERR_HOST_DRAINING` */
    closed: number;
  }

  /** The queue for another host, and the traffic with it since it was connected. */
  interface LinkStats {
    connected: boolean;
    /** Messages that are not acknowledged yet. */
    queuedMessages: number;
    /** Their size in memory, about. This is what `maxQueueBytes` limits. */
    queuedBytes: number;
    /** Bytes of those that are written. */
    inFlightBytes: number;
    /** Bytes that the socket has not accepted yet. */
    unwrittenBytes: number;
    bytesIn: number;
    bytesOut: number;
  }

  /** Counters of a host, since it was made. They count messages to and from other hosts only. */
  interface Stats {
    /** Sends and requests, those that failed at once included: the sum of all outcomes and of `pending`. */
    sent: number;
    /** Sends and requests of others to peers here. */
    received: number;
    /** Publishes while other hosts are members, each counted once. */
    published: number;
    /** Published messages of other hosts that arrived here. */
    heard: number;
    outcomes: Outcomes;
    /** Sends and requests whose promises are not settled. */
    pending: number;
    /** Published messages that were dropped, counted for each host that did not get them. */
    dropped: number;
    /** How often published messages of other hosts were missing. */
    gaps: number;
    /** How often a lost host came back, whoever dialled. */
    reconnects: number;
    bytesIn: number;
    bytesOut: number;
    /** Messages that are not acknowledged yet, publishes included. */
    undelivered: number;
    /** By the keys of `connections`. Lost hosts are included, as long as messages may wait for them. */
    links: Record<string, LinkStats>;
  }

  interface HostOptions {
    /** The network that this host belongs to. Hosts with different ones do not join. Default: none; the host takes over that of the first host that it joins. */
    networkId?: string | number | null;
    /** How long to try to reconnect to a lost host, in milliseconds. Default: 300000 (5 minutes). */
    reconnectTimeout?: number;
    /** The delay before the first reconnect, in milliseconds. Default: 1000. */
    reconnectDelay?: number;
    /** What the delay is divided by after every failed reconnect: 2 halves it, 0.5 doubles it. Default: 2. */
    reconnectDecay?: number;
    /** How long to wait for the answer of another host, in milliseconds, more than 0. Default: 60000. */
    requestTimeout?: number;
    /** The largest message that this host accepts and sends, in bytes, at least 65536. Default: 67108864 (64 MiB). */
    maxPayload?: number;
    /** The longest id and the longest name of a channel, in characters. Default: 65536. */
    maxIdLength?: number;
    /** The queue for one host, and for all lost hosts together, in bytes of memory, at least 65536. Default: 134217728 (128 MiB). */
    maxQueueBytes?: number;
    /** How many messages to one host may be in flight. Default: 524288. */
    maxInFlight?: number;
    /** How many peers of other hosts are remembered with their hosts. Beyond it the host forgets those not used for longest, and looks them up again. Default: 1048576. */
    maxAddresses?: number;
    /** How many names and patterns of channels one other host may announce. One that announces more gets everything that is published here. Default: 1048576. */
    maxSubscriptions?: number;
    /** How many connections are accepted at one time. Default: 16384. */
    maxConnections?: number;
    /** How many accepted connections may shake hands at one time. Beyond it the oldest one makes room. Default: 1024. */
    maxPendingHandshakes?: number;
    /** How much all connections together may hold that have not greeted, in bytes, at least 65536. Beyond it the one that holds most is closed. Default: 16777216 (16 MiB). */
    maxStrangerBytes?: number;
    /** How much all connections together may hold of unfinished messages, and as much of unread answers, in bytes, at least 65536. Default: 67108864 (64 MiB). */
    maxBufferBytes?: number;
    /** How long a connection may take until both sides speak WebSocket, in milliseconds. Default: 5000. */
    handshakeTimeout?: number;
    /**
     * Whether a url may be dialled of which another host has told, and not the program by `join`. Called before each such dial; only true
     * allows it. Default: other machines may not have this host dial its own loopback or link-local addresses.
     */
    dial?: (url: string) => boolean;
    /** How often this host gives other hosts a sign of life, in milliseconds. 0: never, and no host is lost because of silence. Default: 8000. */
    heartbeatInterval?: number;
    /** A host that is silent for so many milliseconds is lost. Greater than `heartbeatInterval`. Default: 24000. */
    heartbeatTimeout?: number;
    /** What a send does while the peer's host is lost: reject at once (the default), or wait for it, for `requestTimeout` at most. */
    offline?: 'reject' | 'queue';
    /**
     * The class of the promises that the host returns: bluebird's by default, the native one on request (`{ Promise }`). With native
     * promises a failed send that nobody catches ends the process, as Node does with any unhandled rejection.
     */
    Promise?: PromiseConstructorLike | typeof Bluebird;
    /** Options of your own are kept, and `config()` returns them. */
    [option: string]: unknown;
  }

  interface ListenOptions {
    /** The IP address to bind, or `'localhost'` for both loopback addresses. Default: loopback for an address or a name that means this machine alone, otherwise all interfaces. */
    bind?: string;
  }

  interface RequestOptions {
    /** How long to wait for the reply, in milliseconds, more than 0. Infinity: without an end. Default: the host's `requestTimeout`. */
    timeout?: number;
    /** Ends the waiting: the request rejects with an `AbortError` whose `cause` is the signal's reason. */
    signal?: AbortSignal;
  }

  /** A connection with another host. */
  interface Connection {
    /** The url that the other host advertises, or null when it does not listen. */
    url: string | null;
    /** Ends the connection at once, without a goodbye. The side that joined will reconnect. */
    close(): void;
  }

  /** A reconnect to a lost host. */
  interface Timer {
    /** Gives the lost host up. */
    close(): void;
  }

  /** The listening server of a host. */
  interface Server {
    /** Stops listening, and ends all connections that came in, without a goodbye. */
    close(): void;
  }

  /** What listens to a peer's messages. `M` is the type of the messages. */
  type Listener<M = any> = (from: any, message: M) => unknown;

  /** What answers requests: what it returns, or what its promise resolves with, is the reply. */
  type Handler<M = any, R = any> = (from: any, message: M) => R | PromiseLike<R>;

  /** A host's private way of sending, handed to its peers. */
  type Send = (from: any, to: any, message: any, options?: SendOptions | null) => HostPromise<null | undefined>;

  /**
   * An addressed endpoint on a host. `host.create(id)` makes one.
   *
   * @typeParam In the type of the messages that it receives
   * @typeParam Out the type of the messages that it sends
   */
  interface Peer<In = any, Out = any> {
    /** The id, as it was given to `create`. */
    readonly id: any;

    /**
     * Sends a message to a peer, wherever it lives. To a peer of the same host synchronously and by reference.
     *
     * @returns resolves with null when the listeners of the receiver have been called (undefined when one of them threw on another host)
     * @throws what a listener throws, when the receiver lives on the same host
     */
    send(to: Id, message?: Out, options?: SendOptions | null): HostPromise<null | undefined>;

    /**
     * Sends a message to a peer, wherever it lives, and waits for the reply of its handler. The handler of a peer of the same host is
     * called at once; message and reply are passed by reference.
     *
     * @typeParam Reply the type of the reply
     * @returns resolves with the reply; rejects with ERR_HANDLER (the handler threw), ERR_NO_HANDLER, ERR_REQUEST_TIMEOUT, ABORT_ERR,
     * ERR_REQUEST_NOT_SUPPORTED (the peer lives on a 0.4.0 host), or as `send` does
     * @throws {Error} ERR_NO_HOST: no host has made this peer
     */
    request<Reply = In>(to: Id, message?: Out, options?: RequestOptions | null): HostPromise<Reply>;

    /** Sends a message to all peers in the network whose ids match, without a pattern to all; see `Host.broadcast`. */
    broadcast(
      pattern: string | null | undefined,
      message: Out,
      options?: { self?: boolean }
    ): HostPromise<{ delivered: number; failed: number }>;
    broadcast(message: Out): HostPromise<{ delivered: number; failed: number }>;

    /**
     * Answers the requests to this peer from now on, in place of the handler before. Without one they are refused.
     *
     * @throws {TypeError} ERR_INVALID_ARG_TYPE: the handler is not a function
     */
    handle(handler: Handler<In, Out> | null | undefined): this;

    /**
     * Adds a listener. Listeners are called in the order in which they were added. One that was added twice is called twice.
     *
     * @throws {TypeError} ERR_INVALID_ARG_TYPE: the callback is not a function
     */
    on(event: 'message', callback: Listener<In>): this;
    on(event: string | symbol, callback: Listener): this;
    /** The same as `on`. */
    addListener(event: 'message', callback: Listener<In>): this;
    addListener(event: string | symbol, callback: Listener): this;
    /** Adds a listener that is called once and then removed. */
    once(event: 'message', callback: Listener<In>): this;
    once(event: string | symbol, callback: Listener): this;
    /** Adds a listener that is called before those that are there. */
    prependListener(event: 'message', callback: Listener<In>): this;
    prependListener(event: string | symbol, callback: Listener): this;
    /** Adds a listener that is called once, before those that are there. */
    prependOnceListener(event: 'message', callback: Listener<In>): this;
    prependOnceListener(event: string | symbol, callback: Listener): this;
    /** Removes a listener; the one that was added last, if it was added more than once. */
    off(event: string | symbol, callback: Listener): this;
    /** The same as `off`. */
    removeListener(event: string | symbol, callback: Listener): this;
    /** Removes all listeners of an event, or of all events. */
    removeAllListeners(event?: string | symbol): this;
    /** The listeners of an event, a copy. */
    listeners(event: string | symbol): Listener[];
    /** The same with what `once` made of its listeners; those have the listener that it was given as `listener`. */
    rawListeners(event: string | symbol): Listener[];
    /** The events that have listeners. */
    eventNames(): Array<string | symbol>;
    /** How many listeners an event may have before the process is warned of a leak. 0, the default: any number. */
    setMaxListeners(count: number): this;
    getMaxListeners(): number;
    /** How many listeners an event has. */
    listenerCount(event: string | symbol): number;
    /**
     * Calls the listeners of an event, synchronously.
     *
     * @returns whether there was a listener
     */
    emit(event: 'message', from: any, message: In): boolean;
    emit(event: string | symbol, from?: any, message?: any): boolean;
  }

  interface PeerConstructor {
    new <In = any, Out = any>(id: any, send?: Send): Peer<In, Out>;
    /** For inheritance in the old style: `distribus.Peer.call(this, id, send)`. */
    (this: object, id: any, send?: Send): void;
    readonly prototype: Peer;
  }

  /** A node of the network. Peers live on it, and it connects to other hosts. */
  interface Host {
    /** The peers that live on this host, by id. */
    peers: Record<string, Peer>;
    /** Where peers of other hosts live, by the peer's id, as far as they have been looked up: the url of the host, or the id of one that does not listen. */
    addresses: Record<string, string>;
    /** The callbacks that are subscribed on this host, by channel. */
    channels: Record<string, Array<(message: any) => unknown>>;
    /** The connected hosts, by url; hosts without url by their host id. */
    connections: Record<string, Connection>;
    /** Reconnects to come, by url; hosts without url by their host id. */
    timers: Record<string, Timer>;
    /** What `config` has set. Change it with `config`. */
    options: HostOptions;
    /** Present while the host listens. */
    server: Server | null;
    /** The address that was given to `listen`, null while the host does not listen. */
    address: string | null;
    /** The port that was given to `listen`, or the one that was found for port 0. Null while the host does not listen. */
    port: number | string | null;
    /** The url under which other hosts reach this one. Undefined before the first `listen`, null after `close`. */
    url?: string | null;
    /** The network that this host belongs to, if any. */
    networkId?: any;

    /**
     * Sets options, and returns a copy of all options that are set.
     *
     * @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE: a bad option; nothing has changed
     * @throws {Error} ERR_NETWORK_ID_SET: another network id while the host is connected; nothing has changed
     */
    config(options?: HostOptions | null): HostOptions;

    /**
     * Creates a peer. Its id should be unique in the network, but only this host is asked. Ids are compared as strings, so all plain objects are one id.
     *
     * @throws {Error} ERR_ID_EXISTS: this host has a peer with that id
     * @throws {RangeError} ERR_ID_TOO_LONG: longer than `maxIdLength`
     * @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE: JSON cannot carry it
     */
    create<In = any, Out = any>(id?: Id): Peer<In, Out>;

    /** Removes a peer. It can still send, but other peers do not find it any more. */
    remove(peer: Peer | Id): void;

    /** The peer of this host with that id, or null. */
    get<In = any, Out = any>(id: Id): Peer<In, Out> | null;

    /**
     * Finds the host of a peer.
     *
     * @returns resolves with that host's url, null when it has none; rejects with ERR_PEER_NOT_FOUND
     */
    find(id: Id): HostPromise<string | null>;

    /** Resolves with the ids of all peers in the network. 0.4.0 hosts cannot be asked for theirs. */
    list(): HostPromise<any[]>;

    /** Resolves with the ids of all peers in the network that match, see `subscribe` for the wildcards. */
    list(pattern: string | null): HostPromise<any[]>;

    /** Resolves with this host when every connected host of this version knows what has been subscribed to here so far. */
    ready(channel?: Id): HostPromise<this>;

    /**
     * Sends a message to all peers in the network whose ids match; without a pattern to all. Not to the sender, unless `self` is true.
     * `failed` counts peers whose listener threw, and hosts that are lost, whose queue is full, or that did not answer.
     */
    broadcast(
      from: Id,
      pattern: string | null | undefined,
      message: any,
      options?: { self?: boolean }
    ): HostPromise<{ delivered: number; failed: number }>;
    broadcast(from: Id, message: any): HostPromise<{ delivered: number; failed: number }>;

    /**
     * Yields the peers that are there and match, then those that come and go: one leave for every join. Peers of a host whose connection is lost leave.
     * The signal ends it with an AbortError.
     *
     * @throws {RangeError} ERR_ID_TOO_LONG: the pattern is longer than `maxIdLength`
     */
    watch(
      pattern?: string | null,
      options?: { signal?: AbortSignal }
    ): AsyncIterableIterator<{ type: 'join' | 'leave'; id: any }>;

    /**
     * Listens for other hosts.
     *
     * @param address the name under which others reach this machine: the host's url is `ws://address:port`. Binds loopback alone if it means this machine alone
     * @param port 0 for any free port; it cannot be left out
     * @returns resolves with the host; rejects with ERR_SERVER_ALREADY_LISTENING, with a system error, like EADDRINUSE, or with a TypeError
     */
    listen(
      address: string | null | undefined,
      port: number | string,
      options?: ListenOptions | null
    ): HostPromise<this>;

    /**
     * Joins a host, and all hosts that it knows.
     *
     * @param url like `ws://example.com:3000`. Credentials in it, `ws://user:password@example.com`, are sent as `Authorization: Basic` and shown nowhere
     * @returns resolves with this host when it is connected with all of them; rejects with a system error, like ECONNREFUSED, or with
     * ERR_NETWORK_ID_MISMATCH, ERR_CONNECTION_LOST, ERR_REFUSED, ERR_REQUEST_TIMEOUT, ERR_HOST_CLOSED, ERR_INVALID_URL,
     * ERR_TLS_UNSUPPORTED, ERR_HANDSHAKE_TIMEOUT, ERR_HANDSHAKE_FAILED, ERR_UNEXPECTED_RESPONSE
     */
    join(url: string | URL | null | undefined): HostPromise<this>;
    join(address: string, port: number | string): HostPromise<this>;
    /**
     * Joins by whichever of these hosts answers first. The others are joined too, and tried again if they do not answer. The host's own
     * url does not count.
     *
     * @returns resolves with this host; rejects with ERR_JOIN_FAILED when all have failed, with a TypeError when there is none or one is
     * no url
     */
    join(urls: ReadonlyArray<string | URL>, port?: number | string): HostPromise<this>;

    /** The other hosts of the network: those that have joined and not left. A copy. */
    hosts(): Member[];

    /**
     * Adds a listener. Listeners are called in the order in which they were added. What one throws goes to the event `'error'`.
     *
     * @throws {TypeError} ERR_INVALID_ARG_TYPE: the callback is not a function
     */
    on<E extends keyof HostEvents>(event: E, callback: (this: this, ...args: HostEvents[E]) => unknown): this;
    on(event: string | symbol, callback: (this: this, ...args: any[]) => unknown): this;
    /** The same as `on`. */
    addListener<E extends keyof HostEvents>(event: E, callback: (this: this, ...args: HostEvents[E]) => unknown): this;
    addListener(event: string | symbol, callback: (this: this, ...args: any[]) => unknown): this;
    /** Adds a listener that is called once and then removed. */
    once<E extends keyof HostEvents>(event: E, callback: (this: this, ...args: HostEvents[E]) => unknown): this;
    once(event: string | symbol, callback: (this: this, ...args: any[]) => unknown): this;
    /** Adds a listener that is called before those that are there. */
    prependListener<E extends keyof HostEvents>(
      event: E,
      callback: (this: this, ...args: HostEvents[E]) => unknown
    ): this;
    prependListener(event: string | symbol, callback: (this: this, ...args: any[]) => unknown): this;
    /** Adds a listener that is called once, before those that are there. */
    prependOnceListener<E extends keyof HostEvents>(
      event: E,
      callback: (this: this, ...args: HostEvents[E]) => unknown
    ): this;
    prependOnceListener(event: string | symbol, callback: (this: this, ...args: any[]) => unknown): this;
    /** Removes a listener; the one that was added last, if it was added more than once. */
    off(event: string | symbol, callback: (...args: any[]) => unknown): this;
    /** The same as `off`. */
    removeListener(event: string | symbol, callback: (...args: any[]) => unknown): this;
    /** Removes all listeners of an event, or of all events. */
    removeAllListeners(event?: string | symbol): this;
    /** The listeners of an event, a copy. */
    listeners(event: string | symbol): Array<(...args: any[]) => unknown>;
    /** The same with what `once` made of its listeners; those have the listener that it was given as `listener`. */
    rawListeners(event: string | symbol): Array<(...args: any[]) => unknown>;
    /** The events that have listeners. */
    eventNames(): Array<string | symbol>;
    /** How many listeners an event may have before the process is warned of a leak. 0, the default: any number. */
    setMaxListeners(count: number): this;
    getMaxListeners(): number;
    /** How many listeners an event has. */
    listenerCount(event: string | symbol): number;
    /**
     * Calls the listeners of an event, which may be one of the program's own. What one throws goes to the event `'error'`.
     *
     * @returns whether there was a listener
     */
    emit<E extends keyof HostEvents>(event: E, ...args: HostEvents[E]): boolean;
    emit(event: string | symbol, ...args: any[]): boolean;

    /**
     * Closes the host when everything in flight is settled. Meanwhile it accepts no new hosts, and nothing new can begin
     * (ERR_HOST_DRAINING).
     *
     * @param options `timeout`: how long that may take, in milliseconds, the goodbye included. Default: 30000
     * @returns resolves with the host; rejects with ERR_DRAIN_TIMEOUT when something was undelivered or unanswered then. The host is closed in either case
     */
    drain(options?: { timeout?: number } | null): HostPromise<this>;

    /** Counters of the traffic with other hosts, and of the queues for them. */
    stats(): Stats;

    /**
     * Says goodbye to all hosts, stops listening and ends all connections. The host can be used again. It waits 5 seconds at most for
     * hosts that do not answer.
     */
    close(): HostPromise<this>;

    /** Closes the host: `await using host = new Host()`, where Node.js knows `Symbol.asyncDispose` (20.5.1 and newer). */
    [Symbol.asyncDispose](): HostPromise<void>;

    /**
     * Sends a message as the peer `from`, which need not exist. Works detached from the host. See `peer.send`.
     */
    send(from: Id, to: Id, message?: any, options?: SendOptions | null): HostPromise<null | undefined>;

    /**
     * Publishes a message: to the subscribers of this host synchronously and by reference, and to all other hosts.
     *
     * @returns false when the queue for a host is so full that it is better to wait for the event `'drain'` before publishing more
     * @throws what a subscriber of this host throws; other hosts then get nothing
     * @throws {RangeError} ERR_ID_TOO_LONG: the channel is longer than `maxIdLength`
     */
    publish<M = any>(channel: Id, message?: M): boolean;

    /**
     * Subscribes to a channel.
     *
     * @throws {TypeError} ERR_INVALID_ARG_TYPE: the callback is not a function
     * @throws {RangeError} ERR_ID_TOO_LONG: the channel or the group is longer than `maxIdLength`
     */
    subscribe<M = any>(
      channel: Id,
      callback: (message: M, channel?: any) => unknown,
      options?: { exact?: boolean; group?: string } | null
    ): void;

    /** Removes the first subscription of that callback. */
    unsubscribe<M = any>(
      channel: Id,
      callback: (message: M, channel?: any) => unknown,
      options?: { exact?: boolean; group?: string } | null
    ): void;
  }

  interface HostConstructor {
    /** @throws {TypeError} see `config` */
    new (options?: HostOptions | null): Host;
    /** For inheritance in the old style: `distribus.Host.call(this, options)`. */
    (this: object, options?: HostOptions | null): void;
    readonly prototype: Host;
  }

  const Host: HostConstructor;
  const Peer: PeerConstructor;
  /** Bluebird, in a copy of its own: by default every promise of a host is one of these. */
  const Promise: typeof Bluebird;
  type Promise<T> = Bluebird<T>;
}

declare global {
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** The distributed message bus. */
export = distribus;
