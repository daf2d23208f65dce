'use strict';
// docs/reference has one heading for each name of the API and none for anything else; what it shows runs.
//
// A heading of level 3 is an entry and names exactly one thing. Headings of level 2 group entries, and may be called anything.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const ts = require('typescript');

const root = path.join(__dirname, '..');
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

/** Codes in the source that no program sees: one inside the host, one that Node.js gives to the loader. */
const INTERNAL = ['ERR_DIAL', 'ERR_DLOPEN_DISABLED'];

const types = ts.createSourceFile('index.d.ts', read('index.d.ts'), ts.ScriptTarget.Latest, true);
const declared = types.statements.find(
  (statement) => ts.isModuleDeclaration(statement) && statement.name.text === 'distribus'
).body.statements;

/** The declaration of an interface or a type. */
function declaration(name) {
  const found = declared.find(
    (one) => (ts.isInterfaceDeclaration(one) || ts.isTypeAliasDeclaration(one)) && one.name.text === name
  );
  assert.ok(found, `index.d.ts declares ${name}`);
  return found;
}

/** What an interface has, by name; overloads once. */
function members(name) {
  const found = new Map();
  for (const member of declaration(name).members)
    if (member.name !== undefined && !found.has(member.name.getText())) found.set(member.name.getText(), member);
  return found;
}

/** Everything in an interface that satisfies a condition, however deep. */
function nodes(name, wanted) {
  const found = [];
  const visit = (node) => {
    if (wanted(node)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(declaration(name));
  return found;
}

/** The names of options that methods spell out where they take them. */
function inlineOptions(name) {
  const parameters = nodes(name, (node) => ts.isParameter(node) && node.name.getText() === 'options');
  return parameters
    .flatMap(({ type }) => (ts.isUnionTypeNode(type) ? [...type.types] : [type]))
    .filter(ts.isTypeLiteralNode)
    .flatMap((literal) => literal.members.map((member) => member.name.text));
}

const exported = declared
  .filter(ts.isVariableStatement)
  .flatMap((one) => one.declarationList.declarations.map(({ name }) => name.text));

/** The names that each page has to have. */
const EXPECTED = {
  host: () => ['new Host', ...members('Host').keys(), ...exported.filter((name) => name !== 'Host' && name !== 'Peer')],
  peer: () => ['new Peer', ...members('Peer').keys()],
  options: () => [
    ...['HostOptions', 'SendOptions', 'ListenOptions', 'RequestOptions'].flatMap((name) => [...members(name).keys()]),
    ...inlineOptions('Host'),
    ...inlineOptions('Peer')
  ],
  events: () => [
    ...members('HostEvents').keys(),
    ...nodes(
      'Peer',
      (node) => ts.isParameter(node) && node.name.getText() === 'event' && ts.isLiteralTypeNode(node.type)
    ).map(({ type }) => type.literal.text)
  ],
  errors: () => declaration('ErrorCode').type.types.map((one) => one.literal.text)
};

/** A page cut at its headings: the text below each, by what it names. */
function sections(page, level) {
  const found = new Map();
  let section;
  let inCode = false;
  for (const line of read(`docs/reference/${page}.md`).split('\n')) {
    if (line.startsWith('```')) inCode = !inCode;
    const [, marks, title] = inCode ? [] : (/^(#+) (.*)$/.exec(line) ?? []);
    if (marks !== undefined && marks.length <= level) {
      section = undefined;
      if (marks.length < level) continue;
      const name = title.replace(/[`']/g, '');
      assert.ok(!found.has(name), `${page}.md has one heading for ${name}`);
      found.set(name, (section = []));
    } else section?.push(line);
  }
  return new Map([...found].map(([name, lines]) => [name, lines.join('\n').trim()]));
}

const entries = (page) => sections(page, 3);

for (const [page, expected] of Object.entries(EXPECTED)) {
  test(`docs/reference/${page}.md has a heading for each name that index.d.ts declares, and no other`, () => {
    const names = [...new Set(expected())];
    assert.ok(names.length > 0);
    assert.deepStrictEqual([...entries(page).keys()].sort(), names.sort());
    for (const [name, text] of entries(page)) assert.ok(text.length > 0, `${page}.md says something below ${name}`);
  });
}

test('the anchor of each heading in docs/reference is its own', () => {
  for (const page of Object.keys(EXPECTED)) {
    const titles = read(`docs/reference/${page}.md`)
      .replace(/^```[^]*?^```$/gm, '')
      .match(/^#+ .*$/gm);
    const anchors = titles.map((title) =>
      title
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-')
    );
    assert.deepStrictEqual(anchors, [...new Set(anchors)], page);
  }
});

test('each error code that the source can produce has its heading in docs/reference/errors.md', () => {
  const files = ['lib', 'src', 'crates']
    .flatMap((folder) =>
      fs.readdirSync(path.join(root, folder), { recursive: true }).map((name) => `${folder}/${name}`)
    )
    .filter(
      (file) => /^lib\/.*\.js$|^src\/.*\.rs$|^crates\/\w+\/src\/.*\.rs$/.test(file) && !file.endsWith('/native.js')
    );
  const codes = new Map();
  for (const file of files)
    for (const [code] of read(file).matchAll(/\b(?:ERR_[A-Z]+(?:_[A-Z]+)*|ABORT_ERR)\b/g)) codes.set(code, file);
  assert.ok(codes.size > 30, 'the codes are found');
  for (const code of INTERNAL) assert.ok(codes.delete(code), `${code} is still in the source`);
  const described = entries('errors');
  for (const [code, file] of codes) assert.ok(described.has(code), `${code} of ${file} has a heading`);
  assert.deepStrictEqual(
    [...described.keys()].filter((code) => !codes.has(code)),
    [],
    'no code is described that the source does not have'
  );
});

test('each method in docs/reference shows its signature in a block of code', () => {
  for (const [page, type] of [
    ['host', 'Host'],
    ['peer', 'Peer']
  ]) {
    const described = entries(page);
    for (const [name, member] of members(type)) {
      if (!ts.isMethodSignature(member)) continue;
      const call = name.startsWith('[') ? `${type.toLowerCase()}${name}(` : `${type.toLowerCase()}.${name}(`;
      const signature = /^```ts\n([^]*?)\n```/m.exec(described.get(name))?.[1].replace(/<[\w, ]+>\(/g, '(');
      assert.ok(signature?.includes(call), `${page}.md shows ${call}…)`);
    }
  }
});

test('docs/reference names each property of what the methods, the events and the errors hand over', () => {
  const places = [
    ['Stats', entries('host').get('stats')],
    ['Outcomes', entries('host').get('stats')],
    ['LinkStats', entries('host').get('stats')],
    ['Member', entries('host').get('hosts')],
    ['DistribusError', sections('errors', 2).get('Properties of an error')]
  ];
  for (const [type, text] of places) {
    for (const name of members(type).keys())
      assert.match(text, new RegExp('^\\|[^|]*`' + name + '`[^|]*\\|', 'm'), `a row for ${name} of ${type}`);
  }
  for (const [type, name] of [
    ['Connection', 'connections'],
    ['Timer', 'timers'],
    ['Server', 'server']
  ]) {
    for (const member of members(type).keys())
      assert.match(entries('host').get(name), new RegExp('`' + member + '(?:\\(\\))?`'), `${member} of ${type}`);
  }
});

test('the defaults in docs/reference/options.md are those in index.d.ts', () => {
  const described = entries('options');
  let compared = 0;
  for (const [name, member] of members('HostOptions')) {
    const [, value] =
      /Default: (\d+)/.exec(
        ts
          .getJSDocCommentsAndTags(member)
          .map((doc) => doc.getText())
          .join()
      ) ?? [];
    if (value === undefined) continue;
    assert.match(described.get(name), new RegExp(`^Default: ${value}\\b`, 'm'), name);
    compared++;
  }
  assert.ok(compared > 10);
});

/** Runs a program in the root of the project, where it finds the package by its name. */
async function run(program) {
  const child = spawn(process.execPath, ['-'], { cwd: root });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  child.stdin.end(program);
  const [code] = await once(child, 'close');
  return { code, output };
}

for (const page of Object.keys(EXPECTED)) {
  test(
    `the examples in docs/reference/${page}.md run and print what their comments say`,
    { timeout: 120_000 },
    async () => {
      const examples = [...read(`docs/reference/${page}.md`).matchAll(/^```js\n([^]*?)^```$/gm)].map(
        ([, program]) => program
      );
      assert.ok(examples.length > 0);
      await Promise.all(
        examples.map(async (program) => {
          const expected = [...program.matchAll(/console\.log\(.*\/\/ (.*)$/gm)]
            .map(([, text]) => text + '\n')
            .join('');
          assert.notStrictEqual(expected, '', `an example prints something:\n${program}`);
          assert.deepStrictEqual(await run(program), { code: 0, output: expected }, program);
        })
      );
    }
  );
}
