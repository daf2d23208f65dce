'use strict';

// Packs the package and the one of this platform as they would be published, installs the tarballs in an empty project,
// without a network, and uses them there as a program would.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { platformName } = require('./platform');
const { checkMatrix } = require('./types_matrix');

const root = path.join(__dirname, '..');
const platform = platformName();
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
let passed = 0;

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'distribus-pack-'));
try {
  main();
  console.log(`${passed} passed, 0 failed`);
} catch (err) {
  console.error(/** @type {Error} */ (err).message);
  console.log(`${passed} passed, 1 failed`);
  process.exitCode = 1;
} finally {
  fs.rmSync(temporary, { recursive: true, force: true });
}

function main() {
  const tarballs = path.join(temporary, 'tarballs');
  const project = path.join(temporary, 'project');
  fs.mkdirSync(tarballs);
  fs.cpSync(path.join(__dirname, 'pack'), project, { recursive: true });
  // The same program under either name, of which the second one is CommonJS whatever package.json says.
  const types = path.join(project, 'types');
  fs.copyFileSync(path.join(types, 'required.ts'), path.join(types, 'required.cts'));

  const main = pack(root, tarballs);
  step('the main package holds what it should, and no more', () => checkContents(main.files));
  const native = pack(stagePlatformPackage(), tarballs);
  step('the platform package holds the addon', () => {
    expect(native.files.includes(manifest.napi.binaryName + `.${platform}.node`), `no addon among ${native.files}`);
  });

  // What both depend on comes from node_modules, so that nothing is downloaded.
  const dependencies = Object.keys(manifest.dependencies).map((name) =>
    pack(path.join(root, 'node_modules', name), tarballs)
  );
  step('npm install of the tarballs in an empty project', () => {
    fs.writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'empty-project', private: true }));
    npm(
      project,
      'install',
      '--offline',
      '--no-audit',
      '--no-fund',
      ...[main, native, ...dependencies].map(({ file }) => file)
    );
  });
  step('a program with require', () =>
    execFileSync(process.execPath, ['session.cjs'], { cwd: project, stdio: 'pipe', timeout: 30_000 })
  );
  step('a program with import', () =>
    execFileSync(process.execPath, ['session.mjs'], { cwd: project, stdio: 'pipe', timeout: 30_000 })
  );
  checkMatrix(project, step);
  step('without the platform package one sentence says what is missing', () => checkLoaderMessage(project));
}

/** Lays out the package of this platform as the release does: what is under npm/, and the addon. */
function stagePlatformPackage() {
  const staged = path.join(temporary, 'platform');
  const addon = `${manifest.napi.binaryName}.${platform}.node`;
  fs.cpSync(path.join(root, 'npm', platform), staged, { recursive: true });
  fs.copyFileSync(path.join(root, 'lib/crossing/native', addon), path.join(staged, addon));
  return staged;
}

/**
 * @param {string} directory of the package
 * @param {string} destination
 * @returns {{ file: string, files: string[] }} the tarball and what is in it
 */
function pack(directory, destination) {
  const [packed] = Object.values(
    JSON.parse(npm(directory, 'pack', '--json', '--ignore-scripts', '--pack-destination', destination))
  );
  const files = packed.files.map((/** @type {{ path: string }} */ file) => file.path);
  // npm names the tarball of a scoped package differently in some versions: take the one that is there.
  const name = path.basename(packed.filename).replace(/^@/, '').replace('/', '-');
  return { file: path.join(destination, name), files };
}

/** @param {string[]} files */
function checkContents(files) {
  const needed = [
    'package.json',
    'README.md',
    'LICENSE',
    'HISTORY.md',
    'index.js',
    'index.mjs',
    'index.d.ts',
    'lib/crossing/native/native.js',
    'lib/Host.d.ts',
    'lib/Peer.d.ts',
    'lib/Promise.d.ts'
  ];
  for (const file of [...needed, ...exportedFiles(manifest.exports)])
    expect(files.includes(file), `${file} is missing`);
  const foreign = files.filter(
    (file) => !/^(lib\/\w+(\/\w+)*\.(js|d\.ts)|index\.\w+(\.\w+)?|[A-Z]+(\.md)?|package\.json)$/.test(file)
  );
  expect(foreign.length === 0, `these do not belong into the package: ${foreign.join(', ')}`);
  for (const script of ['preinstall', 'install', 'postinstall']) {
    expect(!(script in manifest.scripts), `the package must not have a script named ${script}`);
  }
}

/**
 * @param {unknown} exported
 * @returns {string[]}
 */
function exportedFiles(exported) {
  if (typeof exported === 'string') return [exported.replace('./', '')];
  return Object.values(/** @type {object} */ (exported)).flatMap(exportedFiles);
}

/** @param {string} project */
function checkLoaderMessage(project) {
  fs.rmSync(path.join(project, 'node_modules', `${manifest.name}-${platform}`), { recursive: true });
  const code =
    "try { require('distribus'); new (require('distribus').Host)().listen('localhost', 0).catch(show) } catch (err) { show(err) } function show(err) { console.log(err.message) }";
  const message = execFileSync(process.execPath, ['-e', code], { cwd: project, encoding: 'utf8' }).trim();
  expect(
    message.includes(`${manifest.name}-${platform}`) || message.includes('npm install'),
    `the message does not help: ${message}`
  );
  expect(!message.includes('\n'), `the message is longer than a sentence: ${message}`);
}

/**
 * @param {string} cwd
 * @param {...string} args
 */
function npm(cwd, ...args) {
  /** @type {import('node:child_process').ExecFileSyncOptionsWithStringEncoding} */
  const options = { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
  // npm tells its scripts where it is; asking the shell for it would be needed on Windows only.
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('.js')) return execFileSync(process.execPath, [cli, ...args], options);
  return execFileSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, {
    ...options,
    shell: process.platform === 'win32'
  });
}

/**
 * @param {string} title
 * @param {() => unknown} check
 */
function step(title, check) {
  try {
    check();
  } catch (err) {
    const { message, stdout = '', stderr = '' } = /** @type {any} */ (err);
    throw new Error(`not ok - ${title}\n${message}\n${stdout}\n${stderr}`, { cause: err });
  }
  passed++;
  console.log(`ok - ${title}`);
}

/**
 * @param {boolean} condition
 * @param {string} message
 */
function expect(condition, message) {
  if (!condition) throw new Error(message);
}
