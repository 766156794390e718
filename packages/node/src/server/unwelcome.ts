/** Who speaks something else than RESP here, or RESP where it may be read by others: what is noted of it before it goes. */
import { auditClient } from "../access/audit-client.ts";
import { connectionRefused } from "../audit/events.ts";
import type { ConnectionHost } from "./connection-host.ts";
import type { ClientView } from "./edge-context.ts";

/** require-tls: what came in the clear has been read by others already; nothing more shall. */
export function notePlaintext(host: ConnectionHost, client: ClientView): void {
  host.tls.plaintextRefusals++;
  const refusal = { kind: "tls", reason: "TLS is required (require-tls)" } as const;
  host.view.audit.record(connectionRefused(auditClient(client), refusal));
}

/** A browser was tricked into sending an HTTP request here (S22). */
export function noteHttp(host: ConnectionHost, client: ClientView): void {
  host.logger.warn(
    { client: client.id, address: client.address },
    "possible attack: an HTTP request was sent to the RESP port; connection closed",
  );
  const reason = "an HTTP request was sent to the RESP port";
  const refusal = { kind: "cross-protocol", reason } as const;
  host.view.audit.record(connectionRefused(auditClient(client), refusal));
}
