/** What the audit trail is told of a damaged disk. */
import type { Damage } from "@ferrite/storage";
import type { AuditEvent } from "../audit/audit-trail.ts";
import type { DamageFacts } from "./group-disk.ts";
import type { RenewedIdentity } from "./renewal.ts";

/** Places that one record names; the log has all of them. */
const NAMED_DAMAGES_MAX = 4;

/** R42, R58: bytes on the disk are not what was written, and the node goes on without them. */
export function diskRepaired({ damages, floor }: DamageFacts): AuditEvent {
  const named = damages.slice(0, NAMED_DAMAGES_MAX).map(describe);
  const more = damages.length - named.length;
  return {
    category: "node",
    action: "disk.repaired",
    severity: "alert",
    outcome: "success",
    before: [...named, ...(more > 0 ? [`and ${more} more`] : [])].join("; "),
    after:
      floor === null
        ? "nothing that was acknowledged is missing"
        : `entries up to ${floor.index} of term ${floor.term} come from the other nodes`,
  };
}

/** O07: what the node had voted for could not be read; it is another node now. */
export function identityRenewed({ identity, formerIds }: RenewedIdentity): AuditEvent {
  return {
    category: "node",
    action: "disk.identity-renewed",
    severity: "alert",
    outcome: "success",
    before: formerIds.at(-1) ?? "",
    after: identity.id,
  };
}

function describe({ file, offsetBytes, reason }: Damage): string {
  return `${file} at byte ${offsetBytes}: ${reason}`;
}
