/** At the same log position all nodes hold the same keys with the same values (R32). */
import { checkStateHashes } from "../../checkers/state-hash.ts";
import { pause } from "../../e2e/harness/cluster.ts";
import { digest, type Digest } from "../../e2e/harness/digest.ts";
import type { Machines } from "../machines.ts";
import { verdict, type Verdict } from "./verdict.ts";

const CHECKER = "same state";
/** All nodes have to come to one position, and stay there for as long as they are read. */
const TIMEOUT_MS = 60_000;
const LOOK_AGAIN_MS = 200;

/** Nobody may write meanwhile but the nodes themselves. */
export async function sameState(machines: Machines): Promise<Verdict> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  let applied: number[];
  do {
    applied = await appliedIndexes(machines);
    if (new Set(applied).size === 1) {
      const digests = await Promise.all(
        machines.nodeIndexes.map((node) => digest(machines.cluster, node)),
      );
      const after = await appliedIndexes(machines);
      if (after.join() === applied.join()) return judge(machines, applied[0], digests);
    }
    await pause(LOOK_AGAIN_MS);
  } while (performance.now() < deadlineMs);
  const text = `nodes did not come to one position within ${TIMEOUT_MS} ms: ${applied.join(", ")}`;
  return verdict(CHECKER, applied.length, [text]);
}

function judge(machines: Machines, appliedIndex: number, digests: readonly Digest[]): Verdict {
  const reports = digests.map(({ keys, hash }, node) => {
    return { node: machines.name(node), appliedIndex, hash: `${keys} keys ${hash}` };
  });
  const found = checkStateHashes(reports).map(({ groups }) => {
    const texts = groups.map(({ hash, nodes }) => `${nodes.join(", ")}: ${hash}`);
    return `at index ${appliedIndex} the nodes differ: ${texts.join("; ")}`;
  });
  return verdict(CHECKER, digests.length, found);
}

async function appliedIndexes(machines: Machines): Promise<number[]> {
  const statuses = machines.nodeIndexes.map((node) => machines.cluster.status(node));
  return (await Promise.all(statuses)).map((status) => Number(status.get("applied_index")));
}
