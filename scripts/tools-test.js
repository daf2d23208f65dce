'use strict';

// The package under the tools that programs use it with: bundlers, and test runners with fake timers. It lies in an empty project as npm
// would install it, with the addon in the package of this platform.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync, spawnSync } = require('node:child_process');
const { platformName } = require('./platform');
const { program, root } = require('./sections');

const platform = platformName();
const addon = `distribus.${platform}.node`;
const project = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'distribus-tools-'));
const modules = path.join(project, 'node_modules');
let failed = 0;
let passed = 0;

main()
  .catch((err) => {
    console.error(err);
    failed++;
  })
  .finally(() => {
    fs.rmSync(project, { recursive: true, force: true });
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  });

async function main() {
  install();
  await step('esbuild makes one file, and copies the addon beside it', () => {
    esbuild('copied', { loader: { '.node': 'copy' } });
    expect(
      fs.readdirSync(path.join(project, 'copied')).some((name) => name.endsWith('.node')),
      'no addon beside the bundle'
    );
    moveAndRun('copied');
  });
  await step('esbuild leaves the package where it is', () => {
    esbuild('external', { external: ['distribus'] });
    run('external');
  });
  await step('webpack with node-loader makes one file, and copies the addon beside it', async () => {
    await webpack('loaded', {
      module: {
        rules: [{ test: /\.node$/, loader: require.resolve('node-loader'), options: { name: '[name].[ext]' } }]
      }
    });
    moveAndRun('loaded');
  });
  await step('webpack leaves the package where it is', async () => {
    await webpack('kept', { externals: { distribus: 'commonjs distribus' } });
    run('kept');
  });
  await step('jest, with fake timers of each kind, and no handle is left open', () => {
    const config = {
      rootDir: project,
      testEnvironment: 'node',
      transform: {},
      testMatch: ['**/hosts.jest.js'],
      fakeTimers: { enableGlobally: true }
    };
    const output = tool('jest', ['--ci', '--detectOpenHandles', '--config', JSON.stringify(config)]);
    expect(!/open handle|did not exit|DISTRIBUS/i.test(output), output);
  });
  await step('vitest, with fake timers', () =>
    tool('vitest', ['run', '--root', project, '--dir', project, 'hosts.vitest.mjs', '--config', 'vitest.config.mjs'])
  );
}

/** Lays the packages out as npm would. */
function install() {
  const own = path.join(modules, 'distribus');
  for (const entry of ['index.js', 'index.mjs', 'index.d.ts', 'package.json', 'lib']) {
    fs.cpSync(path.join(root, entry), path.join(own, entry), {
      recursive: true,
      filter: (file) => !file.endsWith('.node')
    });
  }
  const native = path.join(modules, `distribus-${platform}`);
  fs.cpSync(path.join(root, 'npm', platform), native, { recursive: true });
  fs.copyFileSync(path.join(root, 'lib/crossing/native', addon), path.join(native, addon));
  for (const name of ['bluebird', 'vitest'])
    fs.symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name), 'junction');
  fs.cpSync(path.join(__dirname, 'tools'), project, { recursive: true });
  fs.writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'program', private: true }));
  fs.writeFileSync(path.join(project, 'vitest.config.mjs'), "export default { test: { include: ['*.vitest.mjs'] } }\n");
}

/**
 * @param {string} folder for what it makes
 * @param {import('esbuild').BuildOptions} options
 */
function esbuild(folder, options) {
  require('esbuild').buildSync({
    absWorkingDir: project,
    entryPoints: ['hosts.js'],
    bundle: true,
    platform: 'node',
    outdir: folder,
    logLevel: 'error',
    ...options
  });
}

/**
 * @param {string} folder for what it makes
 * @param {object} config
 * @returns {Promise<void>}
 */
function webpack(folder, config) {
  return new Promise((resolve, reject) => {
    require('webpack')(
      {
        mode: 'production',
        target: 'node',
        context: project,
        entry: './hosts.js',
        output: { path: path.join(project, folder), filename: 'hosts.js' },
        ...config
      },
      (/** @type {any} */ err, /** @type {any} */ stats) => {
        if (err || stats.hasErrors()) reject(err ?? new Error(stats.toString({ all: false, errors: true })));
        else resolve();
      }
    );
  });
}

/** @param {string} folder with a bundle that needs what is installed */
function run(folder) {
  const output = execFileSync(process.execPath, ['hosts.js'], {
    cwd: path.join(project, folder),
    encoding: 'utf8',
    timeout: 30_000
  });
  expect(output === 'b: bundled\n', `the bundle printed ${output}`);
}

/** @param {string} folder with a bundle that needs nothing else */
function moveAndRun(folder) {
  const away = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'distribus-bundle-'));
  try {
    fs.cpSync(path.join(project, folder), away, { recursive: true });
    const output = execFileSync(process.execPath, ['hosts.js'], { cwd: away, encoding: 'utf8', timeout: 30_000 });
    expect(output === 'b: bundled\n', `the bundle printed ${output}`);
  } finally {
    fs.rmSync(away, { recursive: true, force: true });
  }
}

/**
 * @param {string} name
 * @param {string[]} args
 * @returns {string} what it printed
 */
function tool(name, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program(name), ...args], {
    cwd: project,
    encoding: 'utf8',
    timeout: 120_000
  });
  expect(status === 0, `${name} ended with ${status}\n${stdout}\n${stderr}`);
  return stdout + stderr;
}

/**
 * @param {string} title
 * @param {() => unknown} check
 */
async function step(title, check) {
  try {
    await check();
    passed++;
    console.log(`ok - ${title}`);
  } catch (err) {
    failed++;
    console.error(`not ok - ${title}\n${/** @type {Error} */ (err).message}`);
  }
}

/**
 * @param {boolean} condition
 * @param {string} message
 */
function expect(condition, message) {
  if (!condition) throw new Error(message);
}
