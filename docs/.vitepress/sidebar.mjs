import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DOCS = fileURLToPath(new URL('..', import.meta.url));

const GUIDE = [
  'start',
  'peers-and-messages',
  'channels-and-groups',
  'requests',
  'membership-and-events',
  'backpressure',
  'deployment',
  'security',
  'observability',
  'from-0.4'
];
const REFERENCE = ['host', 'peer', 'options', 'events', 'errors'];
const INTERNALS = ['architecture', 'crossing', 'body', 'bounds', 'protocol-v1', 'protocol-v2', 'performance'];

/** An entry of the sidebar: a page under the title that it gives itself. */
function entry(page) {
  const [, title] = /^# (.+)$/m.exec(fs.readFileSync(path.join(DOCS, `${page}.md`), 'utf8'));
  return { text: title.replaceAll('`', ''), link: `/${page}` };
}

/** @param {string} folder @param {string[]} pages */
const entries = (folder, pages) => pages.map((page) => entry(`${folder}/${page}`));

const decisions = fs
  .readdirSync(path.join(DOCS, 'internals/decisions'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => name.slice(0, -'.md'.length))
  .sort();

export const sidebar = [
  { text: 'Guide', items: entries('guide', GUIDE) },
  { text: 'Reference', items: entries('reference', REFERENCE) },
  { text: 'Internals', collapsed: true, items: entries('internals', INTERNALS) },
  { text: 'Decisions', collapsed: true, items: entries('internals/decisions', decisions) }
];
