'use strict';

const path = require('node:path');
const { createRequire } = require('node:module');

/** Requires a package from the cache in which the rivals are installed. */
module.exports = createRequire(path.join(__dirname, '..', '.cache', 'package.json'));
