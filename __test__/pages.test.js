'use strict';
// The pages for people: their code runs as it stands, their links lead somewhere, and the README stays short.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { anchors, blocks, links, printed, prose } = require('./pages.js');
const { freePort } = require('./support.js');

const ROOT = path.join(__dirname, '..');
const SECONDS = 20;
const AT_ONCE = 3;

const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');

/** The pages in a folder and those below, from the root of the project. */
const pagesIn = (folder) =>
  fs
    .readdirSync(path.join(ROOT, folder), { recursive: true })
    .map((name) => path.posix.join(folder, String(name).split(path.sep).join('/')))
    .filter((name) => name.endsWith('.md') && !name.includes('/node_modules/'))
    .sort();

const GUIDE = ['README.md', 'docs/index.md', ...pagesIn('docs/guide')];
const PAGES = ['README.md', 'HISTORY.md', 'CONTRIBUTING.md', 'SECURITY.md', 'bench/README.md', ...pagesIn('docs')];

/** A folder in which programs find the package by its name. */
function workshop(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distribus-pages-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(ROOT, path.join(folder, 'node_modules', 'distribus'), 'junction');
  return folder;
}

/** Starts Node.js in that folder. `out` becomes what it prints; `ended` resolves with its exit code, `null` when it had to be killed. */
function start(folder, args) {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: 'pipe',
    timeout: SECONDS * 1000,
    killSignal: 'SIGKILL'
  });
  const running = { child, out: '', err: '', ended: new Promise((resolve) => child.on('close', resolve)) };
  child.stdout.on('data', (text) => {
    running.out += text;
  });
  child.stderr.on('data', (text) => {
    running.err += text;
  });
  return running;
}

/** Resolves when a program has printed that. */
async function says(running, text) {
  let over = false;
  running.ended.then(() => {
    over = true;
  });
  while (!running.out.includes(text)) {
    assert.ok(!over, `'${text}' was printed before the end:\n${running.out}\n${running.err}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The programs of a page: each block that runs, with the earlier ones that it continues. */
function programs(page) {
  const found = [];
  let before = '';
  for (const { language, mark, code, line } of blocks(read(page))) {
    if (language !== 'js' || mark === 'session' || mark.startsWith('no-run: ')) continue;
    assert.ok(mark === '' || mark === 'continues', `${page}:${line}: a block of JavaScript is marked '${mark}'`);
    before = mark === 'continues' ? before + code : code;
    found.push({ name: `${page}:${line}`, code: before });
  }
  return found;
}

async function runs(folder, { name, code }) {
  const file = path.join(folder, `${name.replace(/\W/g, '_')}.${/^import /m.test(code) ? 'mjs' : 'cjs'}`);
  fs.writeFileSync(file, code);
  const running = start(folder, [file]);
  const exit = await running.ended;
  const all = `${name}\n${running.out}\n${running.err}`;
  assert.strictEqual(exit, 0, `it ends by itself within ${SECONDS} s, without an error: ${all}`);
  assert.strictEqual(running.err, '', `it warns of nothing: ${all}`);
  const lines = running.out.split('\n').map((line) => line.trim());
  for (const line of printed(code)) {
    const at = lines.indexOf(line);
    assert.notStrictEqual(at, -1, `it prints '${line}': ${all}`);
    lines.splice(at, 1);
  }
}

test(
  'every block of JavaScript in the README and the guide runs as it stands and prints what it says',
  { timeout: 120_000 },
  async (t) => {
    const folder = workshop(t);
    const waiting = GUIDE.flatMap(programs);
    assert.ok(waiting.length > GUIDE.length, 'the blocks were found');
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const program = next;
        await t.test(program.name, () => runs(folder, program));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
);

test('each page of the guide begins with code that runs', () => {
  for (const page of pagesIn('docs/guide')) {
    const [first] = blocks(read(page));
    assert.ok(first !== undefined && first.language === 'js' && first.mark === '', page);
    assert.ok(first.line <= 8, `${page}: the code stands before the explanations`);
  }
});

test('the session of the README can be typed into two terminals', { timeout: 60_000 }, async (t) => {
  const folder = workshop(t);
  const [listens, joins] = blocks(read('README.md')).filter(({ mark }) => mark === 'session');
  const port = String(await freePort());
  const first = start(folder, ['-i']);
  t.after(() => first.child.kill('SIGKILL'));
  first.child.stdin.write(listens.code.replaceAll('3000', port));
  await says(first, `listening at ws://localhost:${port}`);
  const second = start(folder, ['-i']);
  t.after(() => second.child.kill('SIGKILL'));
  second.child.stdin.write(joins.code.replaceAll('3000', port));
  await says(second, 'received');
  await says(first, 'pierre says: Bonjour');
});

test('every relative link and anchor in the pages leads somewhere', () => {
  const known = new Map();
  const anchorsOf = (file) => {
    if (!known.has(file)) known.set(file, anchors(fs.readFileSync(file, 'utf8')));
    return known.get(file);
  };
  const lost = [];
  let followed = 0;
  for (const page of PAGES) {
    for (const target of links(read(page))) {
      if (/^[a-z][a-z+.-]*:/i.test(target)) continue;
      followed++;
      const [to, anchor] = target.split('#');
      const file = to === '' ? path.join(ROOT, page) : path.join(ROOT, path.dirname(page), decodeURIComponent(to));
      if (!fs.existsSync(file)) lost.push(`${page}: there is no ${target}`);
      else if (anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).has(anchor))
        lost.push(`${page}: no heading for ${target}`);
    }
  }
  assert.ok(followed > 50, 'the links were found');
  assert.deepStrictEqual(lost, []);
});

test('the README has 150 lines at most', () => {
  assert.ok(read('README.md').trimEnd().split('\n').length <= 150);
});

test('cells of tables in the README and the documentation have 25 words at most', () => {
  for (const page of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...pagesIn('docs')]) {
    for (const line of prose(read(page))
      .split('\n')
      .filter((text) => /^\s*\|/.test(text))) {
      for (const cell of line.split(/(?<!\\)\|/))
        assert.ok(cell.trim().split(/\s+/).length <= 25, `${page}: ${cell.trim()}`);
    }
  }
});

test('the sidebar of the site has every page once, and the start page leads to pages', async () => {
  const { sidebar } = await import('../docs/.vitepress/sidebar.mjs');
  const listed = sidebar.flatMap(({ items }) => items.map(({ link }) => `docs${link}.md`));
  assert.deepStrictEqual(
    listed.toSorted(),
    pagesIn('docs').filter((page) => page !== 'docs/index.md')
  );
  const targets = [...read('docs/index.md').matchAll(/^ +link: \/(\S+)$/gm)].map(([, target]) => target.split('#'));
  assert.ok(targets.length > 5);
  for (const [page, anchor] of targets) {
    const text = read(`docs/${page}.md`);
    if (anchor !== undefined) assert.ok(anchors(text).has(anchor), `${page} has a heading for ${anchor}`);
  }
});

test('each decision says why it was made and what it costs', () => {
  const decisions = pagesIn('docs/internals/decisions');
  assert.ok(decisions.length > 10);
  for (const [index, page] of decisions.entries()) {
    const number = index + 1;
    assert.ok(path.basename(page).startsWith(`${String(number).padStart(3, '0')}-`), `${page} is number ${number}`);
    assert.ok(read(page).startsWith(`# ${number}. `), `${page} has its number in its title`);
    const headings = prose(read(page)).match(/^## .*$/gm);
    assert.deepStrictEqual(headings, ['## Context', '## Decision', '## What it costs'], page);
  }
});

test('anchors are made as GitHub makes them', () => {
  const text =
    "# `host.send(from, to[, options])`\n## Twice\n## Twice\n## [A link](x.md): it's *here*\n```\n# no heading\n```\n### ERR_OVERLOADED\n";
  assert.deepStrictEqual(
    [...anchors(text)],
    ['hostsendfrom-to-options', 'twice', 'twice-1', 'a-link-its-here', 'err_overloaded']
  );
});
