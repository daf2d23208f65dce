'use strict';

const { soon } = require('./turns.js');
const { variable } = require('../platform/index.js');

/**
 * Bluebird, in a copy of our own: programs that use bluebird keep theirs as they have configured it, and ours is not theirs to configure.
 * @type {typeof import('bluebird')}
 */
// @ts-ignore It has no types of its own. `getNewLibraryCopy` would make two copies, which is slower.
const Promise = require('bluebird/js/release/promise')();

// In `NODE_ENV=development` bluebird traces every promise, and warns of code that is right. Who wants that says so.
const wanted = (/** @type {string} */ name) => !['', '0'].includes(variable(name) ?? '');
Promise.config({
  warnings: wanted('BLUEBIRD_WARNINGS') || wanted('BLUEBIRD_DEBUG'),
  longStackTraces: wanted('BLUEBIRD_LONG_STACK_TRACES') || wanted('BLUEBIRD_DEBUG')
});
// The one that it would take may be a fake.
Promise.setScheduler(soon);

module.exports = Promise;
