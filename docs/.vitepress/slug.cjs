'use strict';

/**
 * The anchor of a heading, as GitHub makes it: so each link works there and on the site.
 * @param {string} heading the text, without its marks
 */
function slug(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

module.exports = { slug };
