'use strict';
// Preloaded into a process that runs files of the original package: from its test and example folders, exactly `../index`,
// `../../index`, `../lib/Host`, `../lib/Peer` and `bluebird` are ours. Everything else stays the original's.

const Module = require('node:module');
const path = require('node:path');

const ours = path.resolve(__dirname, '../..');
const original = path.dirname(require.resolve('distribus-original/package.json'));
const targets = {
  '../index': path.join(ours, 'index.js'),
  '../../index': path.join(ours, 'index.js'),
  '../lib/Host': path.join(ours, 'lib/Host.js'),
  '../lib/Peer': path.join(ours, 'lib/Peer.js'),
  // Its own copy: 0.4.0 exports the one that it depends on.
  bluebird: path.join(ours, 'lib/Promise.js')
};

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, parent, ...rest) {
  const from = parent && parent.filename ? path.relative(original, parent.filename) : '';
  const outside = !/^(test|examples)[\\/]/.test(from);
  if (!outside && Object.hasOwn(targets, request)) return targets[request];
  return resolve.call(this, request, parent, ...rest);
};

process.on('exit', (code) => {
  const loaded = Object.keys(require.cache).some(
    (file) => file.startsWith(path.join(ours, 'lib')) && file.endsWith('.node')
  );
  if (!loaded) {
    console.error('The native addon was not loaded: this has not tested distribus');
    process.exitCode = code || 1;
  }
});
