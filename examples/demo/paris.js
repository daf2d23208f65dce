'use strict';

// The second process of the demo: joins the first one, asks, listens to a channel, and leaves.

const distribus = require('distribus');

const [, , londonUrl] = process.argv;

async function main() {
  const host = new distribus.Host();
  const pierre = host.create('pierre');
  pierre.on('message', (from, message) => console.log(`pierre receives from ${from}: "${message}"`));
  const news = new Promise((resolve) => host.subscribe('weather', resolve));

  await host.listen('127.0.0.1', 0);
  console.log(`listening at ${host.url}; the peer "pierre" lives here`);

  await host.join(londonUrl);
  console.log(`joined ${londonUrl}`);

  const begin = performance.now();
  await pierre.send('lucy', 'Bonjour! How is the weather?');
  console.log(
    `pierre knows that lucy received his message, ${(performance.now() - begin).toFixed(2)} ms after sending it`
  );

  console.log(`the channel "weather" says: ${JSON.stringify(await news)}`);

  await pierre.send('lucy', 'That is all, goodbye!');
  await host.close();
  console.log('closed');
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
