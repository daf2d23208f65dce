'use strict';

module.exports = require('bluebird');
