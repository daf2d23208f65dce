import distribus from 'distribus';

const host = new distribus.Host();
host.on('leave', function (url, id) {
  this.close().done();
  return [url, id];
});
export const closed: Promise<typeof host> = host.close();
