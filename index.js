'use strict';

exports.Host = require('./lib/Host.js');
exports.Peer = require('./lib/Peer.js');
exports.Promise = require('./lib/Promise.js');
