'use strict';

// node scripts/check-version.js [version]: is it the same version everywhere?

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const { version } = require('../package.json');

const others = [
  ['Cargo.toml', /^version = "(.*)"/m.exec(fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8'))?.[1]],
  ...fs
    .readdirSync(path.join(root, 'npm'))
    .map((name) => [`npm/${name}`, require(`../npm/${name}/package.json`).version])
];
if (process.argv[2]) others.push(['the tag', process.argv[2]]);

const wrong = others.filter(([, other]) => other !== version);
for (const [where, other] of wrong) console.error(`package.json has version ${version}, but ${where} has ${other}`);
process.exitCode = wrong.length === 0 ? 0 : 1;
