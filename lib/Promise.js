'use strict';

/** Programs name this path, and some of their tools do not know the exports of package.json. */
module.exports = require('./common/Promise.js');
