'use strict';
// Says what the grammar made, step by step.

const crypto = require('node:crypto');
const { FORM, KIND, Member, NUMBERED, blob, byte, frame, id, num, record, run, texts } = require('../bounds/member.js');

/** @typedef {import('./grammar.js').Step} Step */

/** How an ordinary member greets. */
const USUAL = { number: 1, versions: [2], window: 8 << 20, features: ['interest', 'directory', 'relay'] };

/** What is large is written in short. @param {any} value @param {string} self @returns {any} */
function whole(value, self) {
  if (Array.isArray(value)) return value.map((item) => whole(item, self));
  if (value === null || typeof value !== 'object') return value;
  if (value.repeat !== undefined) return value.repeat.repeat(value.count);
  if (value.self) return self;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, whole(item, self)]));
}

/** @param {any} name @returns {Buffer} */
const name = (name) => (name?.raw !== undefined ? blob(name.raw) : id(whole(name, 'self')));

/** @param {any} messages */
function written({ form, count, values }) {
  if (form === FORM.JSON)
    return run(form, count, values.map((/** @type {any} */ v) => JSON.stringify(whole(v, ''))).join());
  if (form === FORM.UNDEFINED) return run(form, count);
  return run(form, count, Buffer.concat(values.map((/** @type {any} */ v) => blob(String(whole(v, ''))))));
}

/** @param {any} value */
const text = (value) => {
  const string = value?.raw ?? whole(value, 'self');
  return typeof string === 'string' ? string : JSON.stringify(string);
};

/** The body of a record, by its kind. @param {Member} m @param {any} r */
function body(m, r) {
  const count = r.messages.form === FORM.UNDEFINED || r.messages.count < 1000 ? r.messages.count : 1;
  const first = () =>
    r.wrong === undefined ? m.numbers(r.kind === KIND.GAP ? 1 : Math.min(count, 1 << 20)) : num(r.wrong);
  const hashes = () =>
    crypto
      .createHash('shake256', { outputLength: 8 * r.hashes || 1 })
      .update(String(r.number))
      .digest();
  switch (r.kind) {
    case KIND.SEND:
      return [first(), name(r.to), name(r.from), written({ ...r.messages, count })];
    case KIND.PUBLISH:
      return [first(), name(r.to), written({ ...r.messages, count })];
    case KIND.NOTE: {
      const rest = r.head.text ?? JSON.stringify(whole(r.head.args, 'self'));
      const value = r.messages.form === FORM.UNDEFINED ? run(FORM.UNDEFINED, 1) : texts(whole(r.noted, ''));
      return [r.wrong === undefined ? m.numbers(1) : num(r.wrong), id(r.head.letter + rest), value];
    }
    case KIND.GAP:
      return [first(), num(r.count)];
    case KIND.REQUEST:
      return [first(), name(r.to), name(r.from), num(r.number), written({ ...r.messages, count })];
    case KIND.REPLY:
      return [first(), num(r.number), byte(r.flags), written({ ...r.messages, count })];
    case KIND.ACK:
      return [
        num(r.upto),
        num(r.count),
        ...(r.exceptions ? r.names : []).map((/** @type {any} */ [, f], /** @type {number} */ n) =>
          Buffer.concat([num(r.number + n), num(1), byte(f)])
        )
      ];
    case KIND.INTEREST:
      return [byte(r.flags), ...r.names.map((/** @type {any} */ [n, f]) => Buffer.concat([byte(f), blob(text(n))]))];
    case KIND.PLACE:
      return [byte(r.flags), r.flags === 3 ? num(r.number) : hashes()];
    case KIND.LOOK:
      return [num(r.number), name(r.to)];
    case KIND.ASK:
      return [num(r.number), blob(r.flags ? m.id : text(r.from)), name(r.to)];
    case KIND.FOUND:
      return [num(r.number), byte(r.flags), blob(text(r.from))];
    case KIND.BEAT:
      return [num(r.number), num(r.count)];
    default:
      return [num(r.number)];
  }
}

/** @param {Member} m @param {any} r */
function bytes(m, r) {
  const before = m.next;
  let written = Buffer.concat(body(m, r));
  if (r.cut !== undefined)
    written =
      r.cut < 0
        ? written.subarray(0, Math.max(0, written.length + r.cut))
        : Buffer.concat([written, Buffer.alloc(r.cut)]);
  if (r.flip && written.length) written[r.flip[0] % written.length] = r.flip[1];
  if (!NUMBERED.has(r.kind)) m.next = before;
  return record(r.kind, written);
}

/** One fuzzing member after the other, on one host. */
class Play {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
    this.said = 0;
    this.joined = 0;
    /** @type {(Member | undefined)[]} */
    this.members = [];
  }

  /** @param {Step} step */
  async step(step) {
    if (step.do === 'connect') return this.connect(step);
    let m = this.members[step.who];
    if (!m?.open) {
      // Whoever was cut off comes back, as somebody else.
      await this.connect({ do: 'connect', who: step.who, hello: USUAL });
      m = /** @type {Member} */ (this.members[step.who]);
    }
    this.said++;
    const { method } = step;
    const params = step.params && whole(step.params, m.id);
    switch (step.do) {
      case 'records':
        return this.say(m, frame(...step.records.map((/** @type {any} */ r) => bytes(m, r))));
      case 'ask':
        return m.ask(method, params);
      case 'tell':
        return m.tell(method, params);
      case 'relay':
        return this.say(m, this.routed(m, step));
      case 'answer':
        return m.write(JSON.stringify({ id: step.id, message: whole(step.message, m.id), error: step.error }));
      case 'raw':
        return m.write(step.text ? Buffer.from(step.bytes).toString('latin1') : Buffer.from(step.bytes));
      case 'ping':
        return m.socket?.ping('p'.repeat(Math.min(step.length, 125)));
      case 'pause':
        return m.pause();
      case 'resume':
        return m.socket?.resume();
      case 'end':
        return m.end();
    }
  }

  /** Does not wait for long: the host may have stopped to read. @param {Member} m @param {Buffer} bytes */
  say(m, bytes) {
    return Promise.race([m.write(bytes), new Promise((resolve) => setTimeout(resolve, 200))]);
  }

  /** @param {Member} m @param {Step} step */
  routed(m, step) {
    const part = (/** @type {string} */ text) => Buffer.concat([byte(text.length), Buffer.from(text)]);
    const to = this.members[step.to]?.id ?? 'b'.repeat(32);
    const rest = step.text
      ? Buffer.from(JSON.stringify({ id: 1, message: whole(step.text, m.id) }))
      : frame(...step.records.map((/** @type {any} */ r) => bytes(m, r)));
    return Buffer.concat([byte(1), part(m.id), part(to), num(step.number), byte(step.kind), rest]);
  }

  /** @param {Step} step */
  async connect({ who, hello, url, again }) {
    const old = this.members[who];
    const { window, ...more } = hello;
    const m = new Member(this.url, {
      url: url && whole(url, this.url),
      window,
      hello: JSON.parse(JSON.stringify(whole(more, 'self')))
    });
    if (old && again) m.id = old.id;
    else old?.end();
    this.members[who] = m;
    this.joined++;
    await Promise.race([m.connect(), new Promise((resolve) => setTimeout(resolve, 500))]);
  }

  end() {
    for (const m of this.members) m?.end();
  }
}

module.exports = { Play };
