/** Nodes that have applied the same entries hold the same state. */

export interface StateReport {
  readonly node: string;
  readonly appliedIndex: number;
  readonly hash: string;
}

export interface HashDisagreement {
  readonly appliedIndex: number;
  /** Hash to nodes, most nodes first. */
  readonly groups: readonly { readonly hash: string; readonly nodes: readonly string[] }[];
  /** Nodes that are not with a majority of those that reported; all of them when there is none. */
  readonly suspects: readonly string[];
}

/** Reports of different indexes say nothing about each other. */
export function checkStateHashes(reports: readonly StateReport[]): HashDisagreement[] {
  const byIndex = new Map<number, StateReport[]>();
  for (const report of reports) {
    const same = byIndex.get(report.appliedIndex) ?? [];
    same.push(report);
    byIndex.set(report.appliedIndex, same);
  }
  const disagreements: HashDisagreement[] = [];
  for (const [appliedIndex, same] of [...byIndex].sort(([left], [right]) => left - right)) {
    const groups = groupByHash(same);
    if (groups.length < 2) continue;
    const count = groups.reduce((sum, { nodes }) => sum + nodes.length, 0);
    const hasMajority = groups[0].nodes.length * 2 > count;
    const suspects = groups.slice(hasMajority ? 1 : 0).flatMap(({ nodes }) => nodes);
    disagreements.push({ appliedIndex, groups, suspects });
  }
  return disagreements;
}

function groupByHash(reports: readonly StateReport[]): { hash: string; nodes: string[] }[] {
  const groups = new Map<string, Set<string>>();
  for (const { hash, node } of reports) {
    const nodes = groups.get(hash) ?? new Set();
    nodes.add(node);
    groups.set(hash, nodes);
  }
  return [...groups]
    .map(([hash, nodes]) => ({ hash, nodes: [...nodes] }))
    .sort((left, right) => right.nodes.length - left.nodes.length);
}
