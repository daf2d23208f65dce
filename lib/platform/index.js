'use strict';

/** What the library takes from the environment that it runs in. Where that is not Node.js, another file of this folder stands here. */
module.exports = require('./node.js');
