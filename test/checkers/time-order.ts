/** The order in time of transactions, as dependencies: as few as say the same as one between each two. */
import type { DependencyGraph } from "./dependency-graph.ts";
import type { ListTransaction } from "./history.ts";

/**
 * From each transaction that ended to those that began behind it, unless one that is between the two says so already. What has no
 * known outcome has no known end and comes before nothing.
 */
export function addTimeOrder(
  graph: DependencyGraph,
  transactions: readonly ListTransaction[],
): void {
  const starts = indexesBy(transactions, ({ startMs }) => startMs);
  const ends = indexesBy(transactions, ({ endMs }) => endMs).filter(
    (at) => transactions[at].outcome === "ok",
  );
  /** Ended, and nothing that began behind them has ended yet. */
  let frontier: number[] = [];
  let nextEnd = 0;
  for (const to of starts) {
    const { startMs, outcome } = transactions[to];
    if (outcome === "fail") continue;
    for (; nextEnd < ends.length && transactions[ends[nextEnd]].endMs < startMs; nextEnd++) {
      const ended = ends[nextEnd];
      const begunMs = transactions[ended].startMs;
      frontier = frontier.filter((at) => transactions[at].endMs >= begunMs);
      frontier.push(ended);
    }
    for (const from of frontier) graph.add({ from, to, kind: "rt", key: "" });
  }
}

function indexesBy(
  transactions: readonly ListTransaction[],
  moment: (transaction: ListTransaction) => number,
): number[] {
  return [...transactions.keys()].sort(
    (left, right) => moment(transactions[left]) - moment(transactions[right]),
  );
}
