'use strict';

/** What is collected is handed over at this many operations, or at this many characters, or at the end of the turn. */
const MAX_OPERATIONS = 256;
const MAX_LENGTH = 64 * 1024;

/**
 * Collects what a host sends and publishes in one turn, as one text: see src/ops.rs.
 */
class Outbound {
  /** @param {() => void} flush hands the collected text over */
  constructor(flush) {
    this.text = '';
    this.count = 0;
    this.to = '';
    this.from = '';
    this.running = false; // whether to and from are those of the run at the end of the text
    this.scheduled = false;
    this.flush = flush;
    this.onCheck = () => {
      this.scheduled = false;
      if (this.count > 0) this.flush();
    };
  }

  /**
   * @param {string} from JSON text, as all of these
   * @param {string} to
   * @param {string} message
   */
  send(from, to, message) {
    if (!this.running || this.to !== to || this.from !== from) {
      this.line('>' + to + '\t' + from);
      this.to = to;
      this.from = from;
      this.running = true;
    }
    this.line('=' + message);
    this.added();
  }

  /**
   * @param {string} channel
   * @param {string} message
   */
  publish(channel, message) {
    this.line('#' + channel + '\t' + message);
    this.added();
  }

  /** @param {string} line */
  line(line) {
    this.text = this.text === '' ? line : this.text + '\n' + line;
  }

  added() {
    this.count++;
    if (this.count >= MAX_OPERATIONS || this.text.length >= MAX_LENGTH) {
      this.flush();
    } else if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(this.onCheck);
    }
  }

  /** @returns {string | null} */
  take() {
    if (this.count === 0) return null;
    const { text } = this;
    this.text = '';
    this.count = 0;
    this.running = false;
    return text;
  }
}

module.exports = Outbound;
