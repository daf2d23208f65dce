'use strict';

/**
 * The circles in a graph: groups of nodes each of which leads to all others of its group.
 * @param {Map<string, Set<string>>} edges
 * @returns {string[][]} each sorted, those of one node only when that leads to itself
 */
function circles(edges) {
  /** @type {Map<string, number>} */
  const lowest = new Map();
  /** @type {string[]} */
  const open = [];
  /** @type {string[][]} */
  const found = [];
  let next = 0;
  const visit = (/** @type {string} */ node) => {
    const number = next++;
    let low = number;
    lowest.set(node, number);
    open.push(node);
    for (const other of edges.get(node) ?? []) {
      if (!lowest.has(other)) low = Math.min(low, visit(other));
      else if (open.includes(other)) low = Math.min(low, /** @type {number} */ (lowest.get(other)));
    }
    lowest.set(node, low);
    if (low === number) {
      const group = open.splice(open.indexOf(node)).sort();
      if (group.length > 1 || edges.get(node)?.has(node)) found.push(group);
    }
    return low;
  };
  for (const node of edges.keys()) if (!lowest.has(node)) visit(node);
  return found.sort();
}

module.exports = circles;
