/** A connection as the audit trail records it. */
import type { AuditClient } from "../audit/audit-trail.ts";
import type { ClientView } from "../server/edge-context.ts";

export function auditClient(client: ClientView): AuditClient {
  return {
    id: client.id,
    address: client.address,
    localAddress: client.localAddress,
    name: client.name,
    user: client.user,
    isTls: false,
    certificateFingerprint: null,
  };
}
