import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sidebar } from './sidebar.mjs';
import slugs from './slug.cjs';

const DOCS = fileURLToPath(new URL('..', import.meta.url));

/** Where the files of the project are shown. Without it, links to them become plain text. */
const SOURCE = process.env.DOCS_SOURCE;

/** The folder of its address in which the site stands, with slashes around it. */
const BASE = process.env.DOCS_BASE ?? '/';

/** Has links to what is no page of the site lead to where the project's source is shown. */
function sourceLinks(md) {
  md.core.ruler.push('source-links', ({ tokens, env }) => {
    for (const { children } of tokens) {
      let plain = 0;
      for (const token of children ?? []) {
        if (token.type === 'link_open') {
          const href = token.attrGet('href');
          if (/^([a-z][a-z+.-]*:|#|\/)/i.test(href)) continue;
          const file = path.relative(path.join(DOCS, '..'), path.resolve(DOCS, path.dirname(env.relativePath), href));
          if (/^docs\b.*\.md(#|$)/.test(file)) continue;
          if (SOURCE !== undefined) {
            token.attrSet('href', `${SOURCE}/${file.split(path.sep).join('/')}`);
          } else {
            plain++;
            Object.assign(token, { type: 'span_open', tag: 'span', attrs: [['title', file]] });
          }
        } else if (token.type === 'link_close' && plain > 0) {
          plain--;
          Object.assign(token, { type: 'span_close', tag: 'span' });
        }
      }
    }
  });
}

export default {
  title: 'distribus',
  description: 'A message bus that lives inside your Node.js processes, without a broker or a server',
  lang: 'en',
  base: BASE,
  cleanUrls: true,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${BASE}icon.svg` }]],
  markdown: {
    anchor: { slugify: slugs.slug },
    config: sourceLinks
  },
  // The chart of the benchmark stands outside of this folder.
  vite: { server: { fs: { allow: [path.join(DOCS, '..')] } } },
  themeConfig: {
    logo: '/icon.svg',
    nav: [
      { text: 'Guide', link: '/guide/start', activeMatch: '^/guide/' },
      { text: 'Reference', link: '/reference/host', activeMatch: '^/reference/' },
      { text: 'Internals', link: '/internals/architecture', activeMatch: '^/internals/' }
    ],
    sidebar,
    outline: { level: [2, 3] },
    search: { provider: 'local' }
  }
};
