/** How far nodes are, seen from outside. */
import type { SimNode } from "./sim-node.ts";

const ABREAST_ENTRIES = 10;

/** One of them leads. */
export function hasLeader(nodes: readonly SimNode[]): boolean {
  return nodes.filter((node) => node.replica?.role() === "leader").length === 1;
}

/** All are up and close behind each other, while clients go on. */
export function isAbreast(nodes: readonly SimNode[]): boolean {
  const facts = nodes.map((node) => node.facts());
  const lastIndex = Math.max(...facts.map((node) => node?.lastIndex ?? 0));
  return facts.every((node) => node !== null && node.appliedIndex + ABREAST_ENTRIES >= lastIndex);
}

/** All up, one leader, everything applied everywhere. */
export function hasConverged(nodes: readonly SimNode[]): boolean {
  const facts = nodes.map((node) => node.facts());
  const first = facts[0];
  return (
    first !== null &&
    first !== undefined &&
    hasLeader(nodes) &&
    facts.every((node) => {
      return (
        node !== null && node.appliedIndex === first.lastIndex && node.lastIndex === first.lastIndex
      );
    })
  );
}

/** All are abreast, and none still misses what its disk once held. */
export function isWhole(nodes: readonly SimNode[]): boolean {
  return isAbreast(nodes) && nodes.every(({ replica }) => replica?.core.floor() === null);
}
