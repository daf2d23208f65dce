'use strict';

const { Note } = require('../common/pending.js');
const { microtask } = require('../platform/index.js');

/** What a job that waits costs beside its message, in bytes, about. */
const OVERHEAD = 300;

/** The defaults of what may wait, see docs/reference/options.md. */
const MAX_QUEUE_BYTES = 128 * 1024 * 1024;
const MAX_IN_FLIGHT = 524288;

/** The note that carries a job. */
class Errand extends Note {
  /**
   * @param {Job} job
   * @param {import('../host/stats.js')} counters
   */
  constructor(job, counters) {
    super(counters);
    /** Null when another member has got it meanwhile. @type {Job | null} */
    this.job = job;
  }

  taken() {
    this.job?.jobs.done();
  }

  /** @param {any} err */
  reject(err) {
    this.job?.jobs.failed(this, this.job, err);
  }
}

/** A message for one member of a group. */
class Job {
  /**
   * @param {Jobs} jobs
   * @param {string} channel
   * @param {string} group
   * @param {import('../crossing/encoded.js').Encoded} message as it was when it was published
   */
  constructor(jobs, channel, group, message) {
    this.jobs = jobs;
    this.channel = channel;
    this.group = group;
    this.message = message;
    this.order = jobs.next++;
    this.number = -1; // of the note
    this.host = '';
    /** The key of the host that had it last, or that it waits for. */
    this.key = '';
    /** Hosts that have not taken it. @type {Set<string> | null} */
    this.tried = null;
  }
}

/**
 * What jobs need of their host.
 * @typedef {object} Home
 * @property {Pick<import('../host/settings.js'), 'option'>} settings
 * @property {Pick<import('../host/life.js').Life, 'ends'>} life
 * @property {Pick<import('../crossing/outbound.js').Outbound, 'job'>} outbound
 * @property {Pick<import('../host/sends.js'), 'next' | 'push' | 'putBack'>} sends
 * @property {import('../host/stats.js')} counters
 * @property {Pick<import('../host/trouble.js'), 'dropped' | 'threw'>} trouble
 */

/** The jobs of groups that are for members elsewhere, until one has taken them. */
class Jobs {
  static MESSAGE = 'm';

  /** The order of the next job. */
  next = 0;
  #home;
  #groups;
  /** How many are handed to a host, and have no outcome. */
  #flying = 0;
  /** Jobs all of whose members are on lost hosts, by group. @type {Map<string, Job[]>} */
  #waiting = new Map();
  #waitingCount = 0;
  #waitingBytes = 0;
  /** What nobody has taken and the program has not been told of. @type {Map<string, {key: string, channel: string, count: number}>} */
  #drops = new Map();
  /** @type {(() => void)[]} */
  #onSettled = [];

  /**
   * @param {Home} home
   * @param {import('./groups.js')} groups
   */
  constructor(home, groups) {
    this.#home = home;
    this.#groups = groups;
  }

  /** How many wait for a lost host. */
  get waiting() {
    return this.#waitingCount;
  }

  /**
   * Gives it to a member: here, on a connected host, or on a lost host when that is back.
   * @param {Job} job
   */
  give(job) {
    const entries = this.#groups.entries(job.channel, job.group);
    if (this.#giveHere(job, entries)) return;
    const host = this.#groups.choose(job.group, entries, job.tried);
    if (typeof host === 'string') this.#hand(job, host);
    else if (host === null) this.#wait(job, entries);
    else this.#drop(job);
  }

  /**
   * @param {Job} job
   * @param {import('./entries.js').Entry[]} entries
   * @returns {boolean} whether there is a member here
   */
  #giveHere(job, entries) {
    if (!entries.some(({ here }) => here.length > 0)) return false;
    try {
      this.#groups.giveHere(job.group, entries, job.channel, job.message.decode());
    } catch (err) {
      this.#home.trouble.threw('A member of a group threw', err);
    }
    return true;
  }

  /**
   * @param {Job} job
   * @param {string} host that is connected
   */
  #hand(job, host) {
    const { counters, outbound, sends } = this.#home;
    job.host = host;
    job.key = this.#groups.keyOf(host);
    outbound.job(host, Jobs.MESSAGE + JSON.stringify([job.channel, job.group]), job.message);
    job.number = sends.next;
    sends.push(new Errand(job, counters), undefined);
    this.#flying++;
  }

  /** A member has taken a job, or has thrown. */
  done() {
    this.#flying--;
    this.#settle();
  }

  /**
   * The host has not taken it, or not in time.
   * @param {Errand} errand
   * @param {Job} job
   * @param {any} err
   */
  failed(errand, job, err) {
    this.#flying--;
    const { life, sends } = this.#home;
    if (life.ends) return;
    if (err.code === 'ERR_LISTENER') {
      this.#settle();
      return;
    }
    (job.tried ??= new Set()).add(job.host);
    if (err.code === 'ERR_REQUEST_TIMEOUT') {
      // It is on its way to that host all the same: what becomes of it there will be told.
      sends.putBack(job.number, errand, undefined);
      if (!this.#isElsewhere(job)) {
        this.#flying++;
        return;
      }
      errand.job = null;
    }
    this.give(job);
    this.#settle();
  }

  /**
   * Whether another member can take it now.
   * @param {Job} job
   */
  #isElsewhere(job) {
    const entries = this.#groups.entries(job.channel, job.group);
    return (
      entries.some(({ here }) => here.length > 0) ||
      typeof this.#groups.choose(job.group, entries, job.tried) === 'string'
    );
  }

  /**
   * @param {Job} job
   * @param {import('./entries.js').Entry[]} entries
   */
  #wait(job, entries) {
    if (job.key === '')
      job.key = this.#groups.keyOf(/** @type {string} */ (entries.flatMap((entry) => entry.hosts())[0]));
    const maxQueueBytes = this.#home.settings.option('maxQueueBytes') ?? MAX_QUEUE_BYTES;
    const maxInFlight = this.#home.settings.option('maxInFlight') ?? MAX_IN_FLIGHT;
    const bytes = OVERHEAD + job.message.size;
    if (this.#waitingCount > 0 && (this.#waitingBytes + bytes > maxQueueBytes || this.#waitingCount >= maxInFlight)) {
      this.#drop(job);
      return;
    }
    this.#waitingCount++;
    this.#waitingBytes += bytes;
    const jobs = this.#waiting.get(job.group);
    if (jobs === undefined) this.#waiting.set(job.group, [job]);
    else jobs.push(job);
  }

  /**
   * Those that wait for a member of that group are given again, because its members have changed.
   * @param {string} group
   */
  retry(group) {
    const jobs = this.#waiting.get(group);
    if (jobs === undefined) return;
    this.#waiting.delete(group);
    this.#waitingCount -= jobs.length;
    for (const job of jobs) this.#waitingBytes -= OVERHEAD + job.message.size;
    // Those that came back from a host that was lost may wait behind later ones.
    jobs.sort((one, other) => one.order - other.order);
    for (const job of jobs) {
      job.tried = null;
      this.give(job);
    }
    this.#settle();
  }

  retryAll() {
    for (const group of [...this.#waiting.keys()]) this.retry(group);
  }

  /** @param {Job} job that nobody takes */
  #drop({ key, channel }) {
    const name = JSON.stringify([key, channel]);
    const drop = this.#drops.get(name);
    if (drop !== undefined) {
      drop.count++;
      return;
    }
    // Told together, when the events that are being applied have been.
    if (this.#drops.size === 0) microtask(() => this.#tellDrops());
    this.#drops.set(name, { key, channel, count: 1 });
  }

  #tellDrops() {
    const drops = [...this.#drops.values()];
    this.#drops.clear();
    for (const { key, channel, count } of drops) {
      this.#home.counters.jobsDropped += count;
      this.#home.trouble.dropped(key, channel, count);
    }
  }

  #settle() {
    if (this.#flying > 0 || this.#waitingCount > 0) return;
    for (const resolve of this.#onSettled.splice(0)) resolve();
  }

  /** @returns {Promise<void>} resolves when every job has been taken, or dropped */
  settled() {
    if (this.#flying === 0 && this.#waitingCount === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onSettled.push(resolve);
    });
  }

  /** The host is closed. */
  closed() {
    this.#waiting.clear();
    this.#flying = this.#waitingCount = this.#waitingBytes = 0;
    this.#settle();
  }
}

module.exports = { Job, Jobs };
