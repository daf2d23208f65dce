'use strict';
// What the programs of a chaos run say to each other beside sends and publishes: jobs for a group, requests, and who is there.

const CHANNEL = 'jobs';
const GROUP = 'workers';

/** Jobs, each of which one member of the group shall get. Only hosts that are workers have members, and only the others publish. */
class Jobs {
  #host;
  #log;
  #me;
  #next = 0;
  #member = false;
  #take = (/** @type {any} */ text) => {
    const [publisher, n] = text.split(' ');
    this.#log.write('C', publisher, Number(n));
  };

  constructor(host, log, me) {
    this.#host = host;
    this.#log = log;
    this.#me = me;
  }

  get isMember() {
    return this.#member;
  }

  /** Becomes a member. */
  async enter() {
    if (this.#member) return;
    this.#member = true;
    this.#host.subscribe(CHANNEL, this.#take, { group: GROUP });
    try {
      await this.#host.ready();
      if (this.#member) this.#log.write('+');
    } catch {
      // Somebody does not answer, or this host closes: nothing is promised then.
    }
  }

  /** Is no member any more. */
  leave() {
    if (!this.#member) return;
    this.#member = false;
    this.#log.write('-');
    this.#host.unsubscribe(CHANNEL, this.#take, { group: GROUP });
  }

  publish() {
    const n = this.#next++;
    this.#log.write('J', n);
    this.#host.publish(CHANNEL, `${this.#me} ${n}`);
  }

  /**
   * Publishes so many that everybody gets some, who are to be the only members.
   * @param {string[]} members processes
   */
  probe(members) {
    const first = this.#next;
    for (let i = 0; i < 3 * members.length; i++) this.publish();
    this.#log.write('V', first, this.#next - 1, members);
  }
}

/** Requests, each of which has one outcome; the reply says who has answered what. */
class Requests {
  #log;
  #me;
  #next = 0;
  pending = 0;

  constructor(log, me) {
    this.#log = log;
    this.#me = me;
  }

  /** @param {any} peer that answers from now on */
  serve(peer) {
    peer.handle(async (from, [asker, n, way]) => {
      this.#log.write('N', asker, from, peer.id, n);
      // Some handlers take their time, so that hosts die, leave and drain meanwhile.
      if (way === 'late') await new Promise((resolve) => setTimeout(resolve, 50));
      if (way === 'throw') throw new Error('as it was told to');
      return [this.#me, asker, n];
    });
  }

  /**
   * @param {any} peer
   * @param {string} to
   * @param {string} way how the handler shall do it
   */
  async ask(peer, to, way) {
    const n = this.#next++;
    this.#log.write('Q', n, peer.id, to);
    this.pending++;
    try {
      const [process, asker, number] = await peer.request(to, [this.#me, n, way]);
      this.#log.write('K', n, process, asker === this.#me && number === n);
    } catch (err) {
      this.#log.write('X', n, String(err.code ?? err));
    } finally {
      this.pending--;
    }
  }
}

/** Who is there, by a watch that never ends. */
class Present {
  /** @type {Set<string>} */
  ids = new Set();

  constructor(host, log) {
    this.#follow(host, log);
  }

  async #follow(host, log) {
    for await (const { type, id } of host.watch('*')) {
      const fits = type === 'join' ? !this.ids.has(id) : this.ids.delete(id);
      this.ids.add(id);
      if (type === 'leave') this.ids.delete(id);
      if (!fits) log.write('Z', type, id);
    }
  }
}

/**
 * What two lists of ids do not have in common.
 * @param {string} what
 * @param {Iterable<string>} seen
 * @param {string[]} truth
 * @returns {string[]}
 */
function differences(what, seen, truth) {
  const [has, wanted] = [new Set(seen), new Set(truth)];
  return [
    ...truth.filter((id) => !has.has(id)).map((id) => `${what} lacks ${id}`),
    ...[...has].filter((id) => !wanted.has(id)).map((id) => `${what} still has ${id}`)
  ];
}

module.exports = { Jobs, Present, Requests, differences, CHANNEL };
