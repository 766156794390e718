/** What a random network draws for single nodes: who is a member next, and what of a disk can not be read any more. */
import type { Configuration } from "../../src/index.ts";
import { simpleConfiguration } from "../harness/options.ts";
import type { TestPrng } from "../harness/prng.ts";
import type { TestNode } from "../harness/test-node.ts";

/** Any members; null when there would be no voter. */
export function drawMembers(prng: TestPrng, nodes: readonly TestNode[]): Configuration | null {
  const ids = nodes.map((node) => node.id);
  const voters = ids.filter(() => prng.chance(60));
  const learners = ids.filter((id) => !voters.includes(id) && prng.chance(50));
  return voters.length === 0 ? null : simpleConfiguration(voters, learners);
}

/** Some nodes lead rather, or not at all; each node may go by others. */
export function drawPriorities(
  prng: TestPrng,
  nodes: readonly TestNode[],
): ReadonlyMap<string, number> {
  return new Map(nodes.map((node) => [node.id, prng.pick([0, 10, 50, 50, 90])]));
}

/**
 * While it is down, what a node has written turns out to be unreadable from some point on; never on so many nodes at the
 * same time that the rest could not elect anybody. True when it happened.
 */
export function damageMaybe(prng: TestPrng, nodes: readonly TestNode[], node: TestNode): boolean {
  const tolerated = Math.floor((nodes.length - 1) / 2);
  const others = nodes.filter((peer) => peer !== node && peer.disk.floor !== null);
  if (others.length >= tolerated || !prng.chance(50)) {
    return false;
  }
  const { snapshot, entries } = node.disk;
  const wipesAll = prng.chance(20);
  node.damageFrom(wipesAll ? 0 : snapshot.index + 1 + prng.below(entries.length + 1));
  return true;
}
