import distribus = require('../index.js');

export = distribus.Promise;
