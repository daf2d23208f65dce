'use strict';

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');

/**
 * @param {string} file from the root, with slashes
 * @returns {string | undefined} its text, if there is such a file
 */
function read(file) {
  const where = path.join(root, file);
  return fs.existsSync(where) && fs.statSync(where).isFile() ? fs.readFileSync(where, 'utf8') : undefined;
}

/**
 * @param {string} folder
 * @param {string} ending
 * @returns {string[]} the files in it and below, from the root, with slashes
 */
function filesIn(folder, ending) {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true })
    .map((name) => path.posix.join(folder, String(name).split(path.sep).join('/')))
    .filter((name) => name.endsWith(ending))
    .sort();
}

/** Where the crates begin. */
const CRATES = ['crates/mesh/src/lib.rs', 'crates/net/src/lib.rs', 'crates/uv/src/lib.rs', 'src/lib.rs'];

/** Every Rust file of the product. */
const rust = () => CRATES.flatMap((crate) => filesIn(path.posix.dirname(crate), '.rs'));

/** @param {string} file of lib, which the build makes: a tree that was not built has none */
const isGenerated = (file) => file.endsWith('/native.js');

/** Every file of lib that is written by hand. */
const javascript = () => filesIn('lib', '.js').filter((name) => !isGenerated(name));

module.exports = { CRATES, filesIn, isGenerated, javascript, read, root, rust };
