'use strict';
// What can go wrong. Each fault does its damage, waits, and repairs it; the wait ends early when the faults of a round end.

const { setTimeout: wait } = require('node:timers/promises');

/** Faults happen on so many lanes at the same time. */
const LANES = 4;

/**
 * Does harm until the signal aborts, then repairs everything.
 * @param {object} scene
 * @param {import('./cast.js').Actor[]} scene.actors
 * @param {any} scene.network
 * @param {boolean} scene.canCut
 * @param {boolean} scene.wide
 * @param {import('./random.js')} scene.random
 * @param {number} scene.reconnectTimeout in ms
 * @param {number} scene.patience how long a graceful end may take, in ms
 * @param {(kind: string, what: string) => void} scene.tell
 * @param {AbortSignal} signal
 */
async function harm(scene, signal) {
  const available = Object.entries(faults).filter(([, { needs }]) => needs === undefined || needs(scene));
  /** Hosts whose process is in somebody's hands. */
  const taken = new Set();
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      while (!signal.aborted) {
        await sleep(scene.random.between(100, 2000), signal);
        if (signal.aborted) break;
        const [kind, { happen }] = scene.random.pick(available);
        await happen(scene, { signal, taken, tell: (what) => scene.tell(kind, what) });
      }
    })
  );
}

/** @type {Record<string, {needs?: (scene: any) => boolean, happen: (scene: any, lane: any) => Promise<void>}>} */
const faults = {
  'kill -9': {
    happen: (scene, lane) =>
      withProcess(scene, lane, async (actor) => {
        lane.tell(actor.process);
        await actor.kill();
        await pause(scene, lane);
        actor.start();
      })
  },

  'stop and continue': {
    needs: () => process.platform !== 'win32',
    happen: (scene, lane) =>
      withProcess(scene, lane, async (actor) => {
        const { random, network, canCut } = scene;
        const long = random.chance(0.3);
        const cut = canCut && random.chance(0.5);
        const ms = long ? scene.reconnectTimeout + random.between(500, 3000) : random.between(50, 4000);
        lane.tell(`${actor.process} for ${ms} ms${cut ? ', its connections cut meanwhile' : ''}`);
        actor.signal('SIGSTOP');
        try {
          await sleep(ms / 2, lane.signal);
          if (cut) network.cut(actor.index);
          await sleep(ms / 2, lane.signal);
        } finally {
          actor.signal('SIGCONT');
        }
      })
  },

  'close and restart': {
    happen: (scene, lane) =>
      withProcess(scene, lane, async (actor) => {
        lane.tell(actor.process);
        await actor.end(scene.patience);
        await pause(scene, lane);
        actor.start();
      })
  },

  'drain and restart': {
    happen: (scene, lane) =>
      withProcess(scene, lane, async (actor) => {
        lane.tell(actor.process);
        // Draining has a timeout of its own.
        await actor.end(scene.patience + 5000, 'drain');
        await pause(scene, lane);
        actor.start();
      })
  },

  move: {
    needs: ({ wide }) => wide,
    happen: (scene, lane) =>
      withProcess(scene, lane, async (actor) => {
        const port = actor.otherPort(scene.random);
        if (port === null) return;
        lane.tell(`${actor.process} to port ${port}`);
        actor.tell({ do: 'move', port });
        await sleep(scene.random.between(0, 2000), lane.signal);
      })
  },

  flood: {
    needs: ({ wide }) => wide,
    happen: async ({ actors, random }, lane) => {
      const actor = random.pick(actors);
      const count = random.between(200, 1500);
      lane.tell(`${count} by ${actor.process}`);
      actor.tell({ do: 'flood', count });
    }
  },

  'cut connections': {
    needs: ({ canCut }) => canCut,
    happen: async ({ actors, random, network }, lane) => {
      const [one, two] = random.shuffled(actors);
      const pair = network.canPartition && random.chance(0.7);
      for (let times = random.pick([1, 1, 1, 5]); times > 0; times--) {
        const count = network.cut(one.index, pair ? two.index : undefined);
        lane.tell(`${count} of ${one.process}${pair ? ` and ${two.process}` : ''}`);
        await sleep(random.between(0, 1500), lane.signal);
      }
    }
  },

  partition: {
    needs: ({ network }) => network.canPartition,
    happen: async (scene, lane) => {
      const { random, network, actors, canCut } = scene;
      const [shape, blocked] = partition(
        random,
        actors.map(({ index }) => index)
      );
      const long = random.chance(0.25);
      const ms = long ? scene.reconnectTimeout + random.between(500, 3000) : random.between(100, 6000);
      // So that the hosts notice, even where nothing is sent.
      const cut = canCut && random.chance(0.5);
      lane.tell(`${shape} for ${ms} ms${cut ? ', the connections cut' : ''}`);
      for (const [from, to] of blocked) network.block(from, to);
      try {
        if (cut) for (const [from, to] of blocked) network.cut(from, to);
        await sleep(ms, lane.signal);
      } finally {
        for (const [from, to] of blocked) network.unblock(from, to);
      }
    }
  }
};

/**
 * Who cannot reach whom.
 * @param {import('./random.js')} random
 * @param {number[]} hosts
 * @returns {[string, [number, number][]]} a description, and pairs of from and to
 */
function partition(random, hosts) {
  const [one, two, ...rest] = random.shuffled(hosts);
  const bothWays = (left, right) =>
    left.flatMap((a) =>
      right.flatMap((b) => [
        [a, b],
        [b, a]
      ])
    );
  switch (random.pick(['pair', 'one way', 'host', 'halves'])) {
    case 'pair':
      return [`h${one} and h${two}`, bothWays([one], [two])];
    case 'one way':
      return [`h${one} to h${two}, one way`, [[one, two]]];
    case 'host':
      return [`h${one} alone`, bothWays([one], [two, ...rest])];
    default: {
      const half = rest.slice(0, Math.floor(rest.length / 2));
      const left = [one, ...half];
      return [
        left.map((i) => `h${i}`).join(' ') + ' from the others',
        bothWays(
          left,
          hosts.filter((i) => !left.includes(i))
        )
      ];
    }
  }
}

/** Does something with a host whose process nobody else has in hands. */
async function withProcess({ actors, random }, { taken }, action) {
  const free = actors.filter((actor) => !taken.has(actor));
  // Half of them stay alive.
  if (free.length <= actors.length / 2) return;
  const actor = random.pick(free);
  taken.add(actor);
  try {
    await action(actor);
  } finally {
    taken.delete(actor);
  }
}

/** Between the end of a process and the start of the next one: sometimes none, sometimes longer than lost hosts are looked for. */
async function pause({ random, reconnectTimeout }, { signal }) {
  await sleep(random.pick([0, 0, random.between(100, 3000), reconnectTimeout + 1000]), signal);
}

async function sleep(ms, signal) {
  try {
    await wait(ms, undefined, { signal });
  } catch (err) {
    if (err.name !== 'AbortError') throw err;
  }
}

module.exports = { harm, kinds: Object.keys(faults) };
