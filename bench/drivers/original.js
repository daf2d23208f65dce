'use strict';

const freePort = require('../../scripts/free_port.js');

module.exports = require('./distribus.js')(require('distribus-original'), freePort);
