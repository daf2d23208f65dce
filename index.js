'use strict';

exports.Host = require('./lib/host/Host.js');
exports.Peer = require('./lib/peer/Peer.js');
exports.Promise = require('./lib/common/Promise.js');
