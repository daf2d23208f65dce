'use strict';

// The types of the package as programs meet them: every way to import it, under the module settings that TypeScript knows, from the oldest
// version that is supported to the newest.

const path = require('node:path');
const { execFileSync } = require('node:child_process');

const root = path.join(__dirname, '..');

/** Everything but the lib files that every program has, which would have to be checked anew in each. */
const OURS = /node_modules\/(distribus|@types\/bluebird)\//;

/**
 * A way to compile, and what can be compiled in it.
 * @typedef {{ name: string, options: Record<string, any>, files: string[], from?: number, below?: number }} Setting
 */

const anywhere = ['named.ts', 'typed.ts', 'namespace.ts'];
const commonjs = [...anywhere, 'required.ts'];

/** `from` and `below`: the versions of TypeScript that know this one. @type {Setting[]} */
const SETTINGS = [
  { name: 'commonjs, node10', options: { module: 'commonjs', moduleResolution: 'node10' }, files: commonjs, below: 7 },
  {
    name: 'commonjs, node10, esModuleInterop',
    options: { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true },
    files: [...commonjs, 'default.ts', 'disposed.ts'],
    below: 7
  },
  {
    name: 'commonjs, bundler',
    options: { module: 'commonjs', moduleResolution: 'bundler', esModuleInterop: true },
    files: [...commonjs, 'default.ts', 'disposed.ts'],
    from: 6
  },
  {
    name: 'node16',
    options: { module: 'node16', moduleResolution: 'node16' },
    files: [...commonjs, 'required.cts', 'imported.mts', 'default.ts', 'disposed.ts']
  },
  {
    name: 'nodenext',
    options: { module: 'nodenext', moduleResolution: 'nodenext' },
    files: [...commonjs, 'required.cts', 'imported.mts', 'default.ts', 'disposed.ts']
  },
  {
    name: 'esnext, bundler',
    options: { module: 'esnext', moduleResolution: 'bundler' },
    files: [...anywhere, 'imported.mts', 'default.ts', 'disposed.ts']
  },
  {
    name: 'preserve, bundler',
    options: { module: 'preserve', moduleResolution: 'bundler' },
    files: [...commonjs, 'imported.mts', 'default.ts', 'disposed.ts']
  }
];

/** How they are called in package.json, with their major versions. */
const COMPILERS = [
  { name: 'typescript-5.4', major: 5 },
  { name: 'typescript-5.9', major: 5 },
  { name: 'typescript', major: 6 },
  { name: 'typescript-7.0', major: 7 }
];

/**
 * @param {string} project where the packed package is installed, and what is to be compiled lies in `types`
 * @param {(title: string, check: () => void) => void} step
 */
function checkMatrix(project, step) {
  for (const { name, major } of COMPILERS) {
    const { version } = require(`${name}/package.json`);
    step(`the types under every module setting of TypeScript ${version}`, () => {
      const settings = SETTINGS.filter(({ from = 0, below = Infinity }) => major >= from && major < below);
      const check = major < 7 ? compiler(require(name), project, major) : commandLine(name, project);
      const wrong = settings.flatMap((setting) => check(setting).map((text) => `${setting.name}: ${text}`));
      if (wrong.length > 0) throw new Error(wrong.join('\n'));
    });
  }
}

/**
 * Compiles in this process, where what all settings have in common is read once.
 * @param {any} ts
 * @param {string} project
 * @param {number} major
 * @returns {(setting: Setting) => string[]} what is wrong
 */
function compiler(ts, project, major) {
  /** @type {Map<string, any>} */
  const read = new Map();
  return ({ options, files }) => {
    const { options: parsed, errors } = ts.convertCompilerOptionsFromJson(
      { ...options, ...common(), ...(major === 6 ? { ignoreDeprecations: '6.0' } : {}) },
      project
    );
    const host = ts.createCompilerHost(parsed);
    host.getCurrentDirectory = () => project;
    const { getSourceFile } = host;
    host.getSourceFile = (/** @type {string} */ name, /** @type {any} */ how, /** @type {any[]} */ ...rest) => {
      if (!/\/lib\.[\w.]+\.d\.ts$|@types\/node\//.test(name)) return getSourceFile.call(host, name, how, ...rest);
      const key = `${name} ${JSON.stringify(how)}`;
      const file = read.get(key) ?? getSourceFile.call(host, name, how, ...rest);
      read.set(key, file);
      return file;
    };
    const program = ts.createProgram(
      files.map((file) => path.posix.join(project.replaceAll('\\', '/'), 'types', file)),
      parsed,
      host
    );
    const roots = program.getRootFileNames();
    const checked = program
      .getSourceFiles()
      .filter((/** @type {any} */ { fileName }) => OURS.test(fileName) || roots.includes(fileName));
    if (checked.length < roots.length + 2) return ['not everything was found that is to be checked'];
    const diagnostics = [
      ...errors,
      ...program.getOptionsDiagnostics(),
      ...program.getGlobalDiagnostics(),
      ...checked.flatMap((/** @type {any} */ file) => [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file)
      ])
    ];
    return diagnostics.map((one) => {
      const where =
        one.file === undefined
          ? ''
          : `${path.relative(project, one.file.fileName)}:${one.file.getLineAndCharacterOfPosition(one.start).line + 1} `;
      return where + ts.flattenDiagnosticMessageText(one.messageText, '\n');
    });
  };
}

/**
 * The compiler that is no JavaScript any more, and quick enough to check everything.
 * @param {string} name
 * @param {string} project
 * @returns {(setting: Setting) => string[]} what is wrong
 */
function commandLine(name, project) {
  const tsc = path.join(root, 'node_modules', name, 'bin', 'tsc');
  return ({ options, files }) => {
    const flags = Object.entries({ ...options, ...common() }).flatMap(([option, value]) => [
      `--${option}`,
      String(value)
    ]);
    try {
      execFileSync(process.execPath, [tsc, ...flags, ...files.map((file) => path.join('types', file))], {
        cwd: project,
        encoding: 'utf8',
        stdio: 'pipe'
      });
      return [];
    } catch (err) {
      return [/** @type {any} */ (err).stdout || String(err)];
    }
  };
}

function common() {
  return {
    noEmit: true,
    strict: true,
    skipLibCheck: false,
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable'],
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules', '@types')]
  };
}

module.exports = { checkMatrix };
