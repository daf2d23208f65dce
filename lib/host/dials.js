'use strict';

const { typeError } = require('../common/errors.js');
const { lookUp } = require('./owned.js');

/** Asks the program, which has the option `dial`, before a url is dialled that it has not named itself. */
class Dials {
  #host;
  #trouble;

  /**
   * @param {any} host
   * @param {Pick<import('./trouble.js'), 'threw' | 'unusable'>} trouble
   */
  constructor(host, trouble) {
    this.#host = host;
    this.#trouble = trouble;
  }

  /**
   * @param {string} url
   * @returns {boolean} whether it may be dialled; when it is not clear, it may not
   */
  allow(url) {
    const dial = lookUp(this.#host, 'options', 'dial');
    if (typeof dial !== 'function') return false;
    let answer;
    try {
      answer = dial(url);
    } catch (err) {
      this.#trouble.threw('The option "dial" threw', err);
      return false;
    }
    if (typeof answer === 'boolean') return answer;
    const got = settle(answer) ? 'a promise' : answer === null ? 'null' : typeof answer;
    const reason = `it must be true or false, got ${got}`;
    this.#trouble.unusable('What the option "dial" returned', typeError('ERR_INVALID_ARG_TYPE', reason));
    return false;
  }
}

/**
 * What a promise that is no answer becomes concerns nobody: the process must not end because it is rejected.
 * @param {any} answer
 * @returns {boolean} whether it is a promise
 */
function settle(answer) {
  try {
    if (typeof answer?.then !== 'function') return false;
    Promise.resolve(answer).catch(() => {});
    return true;
  } catch {
    return false;
  }
}

module.exports = Dials;
