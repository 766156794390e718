/** INFO security: users, logins, denials and the audit trail of this node. */
import { auditInfo } from "../../audit/audit-info.ts";
import type { ServerView } from "../../server/edge-context.ts";
import type { InfoLine } from "./info-sections.ts";

export function securityLines({ access, audit }: ServerView): readonly InfoLine[] {
  const trail = audit.log === undefined ? [] : auditInfo(audit.log.status());
  return [...access.facts(), ...trail];
}
