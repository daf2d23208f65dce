'use strict';

const Peer = require('../peer/Peer.js');

/**
 * What a program names a peer by.
 * @param {any} peer a peer, also one of another copy of this package, or its id
 * @returns {any} its id
 */
function idOf(peer) {
  if (peer instanceof Peer) return /** @type {any} */ (peer).id;
  const isPeer =
    typeof peer === 'object' &&
    peer !== null &&
    'id' in peer &&
    typeof peer.send === 'function' &&
    typeof peer.on === 'function';
  return isPeer ? peer.id : peer;
}

/**
 * @param {any} url a URL object, also one of another realm, or anything else
 * @returns {any} its text as hosts write urls, without the slash that every URL object ends with; anything else as it is
 */
function textOfUrl(url) {
  if (Object.prototype.toString.call(url) !== '[object URL]' || typeof url.href !== 'string') return url;
  return url.pathname === '/' && url.search === '' && url.hash === '' ? url.href.slice(0, -1) : url.href;
}

module.exports = { idOf, textOfUrl };
