'use strict';
// The log of one process: one JSON array a line, `[time, kind, …]`. Time is the machine's monotonic clock in ms, the same for all
// processes. A line is with the kernel when `write` returns, so kill -9 loses none. The last one may be torn: what it would have
// told had no effect yet.
//
// | kind    | fields                     |                                                                          |
// |---------|----------------------------|--------------------------------------------------------------------------|
// | `id`    | host id, url, advertised             | the incarnation of this process, and where it is reached                 |
// | `S`     | send, from, to, n          | about to send: the process's own number of the send, and the pair's      |
// | `O`     | send                       | that send has resolved                                                   |
// | `F`     | send, code                 | that send was rejected                                                   |
// | `R`     | process, from, to, n       | a peer of this process received it; written before the listener returns  |
// | `P`     | channel, n                 | about to publish                                                         |
// | `H`     | process, channel, n        | heard                                                                    |
// | `M`     | change, host id            | `join`, `leave`, `disconnect` or `reconnect` of another incarnation      |
// | `G`     | url, count or null         | event 'gap'                                                              |
// | `D`     | url, channel, count        | event 'drop'                                                             |
// | `+` `-` |                            | a member of the group since now, as all others know; not any more        |
// | `J`     | n                          | about to publish a job                                                   |
// | `C`     | process, n                 | a member got it                                                          |
// | `V`     | first, last, processes     | has published these jobs while just these were members                   |
// | `Q`     | n, from, to                | about to ask                                                             |
// | `N`     | process, from, to, n       | asked                                                                    |
// | `K`     | n, process, whether        | that request was answered by that process, and with its own reply        |
// | `X`     | n, code                    | that request failed                                                      |
// | `Z`     | type, id                   | a watch told what makes no sense                                         |
// | `drain` |                            | begins to drain; `drained`: everything has settled; `undrained`: it has not |
// | `ending`|                            | begins to close                                                          |
// | `end`   |                            | everything has settled, the process ends because it was told to          |
//
// Other kinds (`J` a join that failed, `E` an event 'error') are there to be read by people.

const fs = require('node:fs');

class Log {
  #file;

  /** @param {string} name */
  constructor(name) {
    this.#file = fs.openSync(name, 'a');
  }

  /**
   * @param {string} kind
   * @param {...any} fields
   */
  write(kind, ...fields) {
    const time = Number(process.hrtime.bigint() / 1000n) / 1000;
    fs.writeSync(this.#file, JSON.stringify([time, kind, ...fields]) + '\n');
  }
}

/**
 * @param {string} name
 * @returns {any[][]}
 */
function read(name) {
  const text = fs.readFileSync(name, 'utf8');
  // What follows the last line feed is torn.
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

module.exports = { Log, read };
