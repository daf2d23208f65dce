'use strict';

/** Says what happens in the network when the environment variable NODE_DEBUG names distribus. Ask `enabled` before building texts. */
module.exports = require('node:util').debuglog('distribus');
