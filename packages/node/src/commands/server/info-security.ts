/** INFO security: users, logins, denials and the audit trail of this node. */
import type { ServerView } from "../../server/edge-context.ts";
import type { InfoLine } from "./info-sections.ts";

export function securityLines({ access }: ServerView): readonly InfoLine[] {
  return access.facts();
}
