/** From what was found on disk to where the chain goes on, and what it says first. */
import { randomBytes } from "node:crypto";
import type { AuditEvent } from "./audit-trail.ts";
import type { ChainStart } from "./chain.ts";
import type { Recovered } from "./files/recovery.ts";
import { chainStarted, tornTailCut } from "./own-events.ts";
import { NO_HASH } from "./record.ts";

export function newChainId(): string {
  return randomBytes(8).toString("hex");
}

/** What the next record follows. */
export function startOf(recovered: Recovered): ChainStart {
  if (recovered.kind === "resumed") return recovered.start;
  const sequence = recovered.kind === "damaged" ? recovered.sequence : 0;
  return { sequence, hash: NO_HASH, chain: newChainId() };
}

/** The records that say how the trail was found; none when all was well. */
export function openingEvents(recovered: Recovered): AuditEvent[] {
  if (recovered.kind === "empty") return [chainStarted("the first record of this node", null)];
  if (recovered.kind === "damaged") {
    const { problem, sequence, lastHash } = recovered;
    const hash = lastHash === null ? {} : { hash: lastHash };
    return [chainStarted(problem, { sequence, ...hash })];
  }
  return recovered.tornBytes > 0 ? [tornTailCut(recovered.tornBytes, recovered.file.name)] : [];
}
