'use strict';

// What pages.test.js reads in the pages of the project: blocks of code, links and anchors.

const { slug } = require('../docs/.vitepress/slug.cjs');

/**
 * A block of code of a page. `mark` is what follows the language: `continues`, `session`, `no-run: REASON` or nothing.
 * @typedef {{language: string, mark: string, code: string, line: number}} Block
 */

/** @param {string} text @returns {Block[]} */
function blocks(text) {
  const found = [];
  let open = null;
  for (const [index, line] of text.split('\n').entries()) {
    if (open !== null) {
      if (line.trim() === '```') {
        found.push({ language: open.language, mark: open.mark, code: open.lines.join('\n') + '\n', line: open.line });
        open = null;
      } else {
        open.lines.push(line);
      }
      continue;
    }
    const fence = /^\s*```(\S*) ?(.*)$/.exec(line);
    if (fence !== null) open = { language: fence[1], mark: fence[2].trim(), lines: [], line: index + 1 };
  }
  return found;
}

/** What a page says outside of code. @param {string} text */
function prose(text) {
  return text.replace(/^\s*```[\s\S]*?^\s*```\s*$/gm, '').replace(/<!--[\s\S]*?-->/g, '');
}

/** The lines that a program prints, as its comments have it. @param {string} code */
function printed(code) {
  return [...code.matchAll(/\/\/ prints (.+)$/gm)].map(([, line]) => line.trim());
}

/** The anchors that GitHub makes of a page's headings. @param {string} text */
function anchors(text) {
  const taken = new Map();
  const found = new Set([...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id]) => id));
  for (const [, heading] of prose(text).matchAll(/^#{1,6} +(.+?)[ #]*$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    const anchor = slug(words);
    const before = taken.get(anchor) ?? 0;
    taken.set(anchor, before + 1);
    found.add(before === 0 ? anchor : `${anchor}-${before}`);
  }
  return found;
}

/** The targets of a page's links and pictures. @param {string} text */
function links(text) {
  const words = prose(text);
  // The brackets may hold code, in which there may be brackets.
  const inline = [...words.matchAll(/\]\(([^()\s]+(?:\([^()\s]*\))?)(?: "[^"]*")?\)/g)].map(([, target]) => target);
  const html = [...words.matchAll(/(?:src|href|srcset)="([^"]+)"/g)].map(([, target]) => target);
  const named = [...words.matchAll(/^\[[^\]]+\]: +(\S+)/gm)].map(([, target]) => target);
  return [...inline, ...html, ...named];
}

module.exports = { anchors, blocks, links, printed, prose };
