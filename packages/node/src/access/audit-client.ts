/** A connection as the audit trail records it. */
import type { AuditClient } from "../audit/audit-trail.ts";
import type { ClientEnds } from "../server/client-ends.ts";
import type { ClientTls } from "../server/client-tls.ts";
import type { ClientView } from "../server/edge-context.ts";

export function auditClient(client: ClientView): AuditClient {
  return {
    id: client.id,
    address: client.address,
    localAddress: client.localAddress,
    name: client.name,
    user: client.user,
    ...tlsFields(client.tls),
  };
}

/** A connection that never became a client. */
export function auditEnds(
  { address, localAddress }: ClientEnds,
  tls: ClientTls | null,
): AuditClient {
  return { id: 0, address, localAddress, name: "", user: null, ...tlsFields(tls) };
}

function tlsFields(
  tls: ClientTls | null,
): Omit<AuditClient, "id" | "address" | "localAddress" | "name" | "user"> {
  const certificate = tls?.certificate ?? null;
  return {
    isTls: tls !== null,
    certificateFingerprint: certificate?.fingerprint ?? null,
    certificateSerial: certificate?.serial ?? null,
    certificateSubject: certificate?.subject ?? null,
  };
}
