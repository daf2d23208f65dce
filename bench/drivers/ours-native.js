'use strict';

module.exports = require('./distribus.js')(require('../../index.js'), async () => 0, { Promise });
