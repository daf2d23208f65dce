'use strict';

/**
 * Names the platform that this process runs on the way @napi-rs/cli does in its file and package names,
 * for example `linux-x64-gnu` or `darwin-arm64`.
 * @returns {string}
 */
function platformName() {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform === 'linux') return `${base}-${isGlibc() ? 'gnu' : 'musl'}`;
  if (process.platform === 'win32') return `${base}-msvc`;
  return base;
}

/** Node's own report names the C library that the process was loaded with, if it is glibc. */
function isGlibc() {
  const report = /** @type {any} */ (process.report.getReport());
  return Boolean(report.header.glibcVersionRuntime);
}

module.exports = { platformName };
