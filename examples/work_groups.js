'use strict';

// Work that is shared: each job goes to one of the workers, wherever they are. When one is gone, the others do what is left.
// Run it: node examples/work_groups.js

const distribus = require('distribus');

async function main() {
  const desk = new distribus.Host();
  await desk.listen('127.0.0.1', 0);

  let left = 8;
  let finish;
  const done = new Promise((resolve) => {
    finish = resolve;
  });
  const begin = async (name) => {
    const host = new distribus.Host();
    await host.listen('127.0.0.1', 0);
    await host.join(desk.url);
    host.subscribe(
      'jobs.*',
      (job, channel) => {
        console.log(`${name} does ${job} (${channel})`);
        if (--left === 0) finish();
      },
      { group: 'workers' }
    );
    await host.ready();
    return host;
  };
  const workers = [await begin('Ann'), await begin('Ben'), await begin('Cleo')];

  for (let n = 1; n <= 4; n++) desk.publish('jobs.print', `page ${n}`);
  console.log('Ben leaves');
  await workers[1].close();
  for (let n = 5; n <= 8; n++) desk.publish('jobs.print', `page ${n}`);
  await done;

  for (const host of [workers[0], workers[2], desk]) await host.close();
}

main();
