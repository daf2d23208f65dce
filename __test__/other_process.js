'use strict';
// A host in a process of its own, with 512 MB of heap, that does what a test asks it to.

const { fork } = require('node:child_process');
const { once } = require('node:events');

/**
 * In that process: listens, and answers by these.
 * @param {any} host
 * @param {Record<string, () => any>} acts
 */
async function serve(host, acts) {
  process.on('disconnect', () => process.exit());
  process.on('message', (act) => process.send?.({ answer: acts[String(act)]() }));
  await host.listen('127.0.0.1', 0);
  process.send?.({ answer: host.url });
}

/**
 * In the test: starts that process, and ends it after the test.
 * @param {any} t the test's context
 * @param {string} file
 * @param {string} role its argument
 */
async function start(t, file, role) {
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT; // It is no test.
  const child = fork(file, [role], { env, execArgv: ['--expose-gc', '--max-old-space-size=512'] });
  t.after(() => child.kill('SIGKILL'));
  const answer = async () => (await once(child, 'message'))[0].answer;
  const url = await answer();
  const ask = (/** @type {string} */ act) => {
    child.send(act);
    return answer();
  };
  return { url, ask };
}

module.exports = { serve, start };
