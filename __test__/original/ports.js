'use strict';
// Preloaded into a process that runs an example of the original package, whose ports are written in it: as the example is loaded, they
// are replaced by free ones, from DISTRIBUS_TEST_PORTS (`3000:40001,3001:40002`). Nothing else changes.

const Module = require('node:module');
const path = require('node:path');

const folder = path.join(path.dirname(require.resolve('distribus-original/package.json')), 'examples') + path.sep;
const ports = process.env.DISTRIBUS_TEST_PORTS.split(',').map((pair) => pair.split(':'));

const compile = Module.prototype._compile;
Module.prototype._compile = function (source, file) {
  if (file.startsWith(folder)) {
    for (const [written, free] of ports) source = source.replaceAll(new RegExp(`\\b${written}\\b`, 'g'), free);
  }
  return compile.call(this, source, file);
};

// So that what is preloaded beside this can look back when the test ends the process.
process.once('SIGTERM', () => process.exit());
