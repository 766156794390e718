/** What the trail records of the certificates of this node. No keys, no passphrases: names, numbers, dates and reasons. */
import type { CredentialEvent } from "../certificates/credential-events.ts";
import type { AuditEvent } from "./audit-trail.ts";

const ENDING_NAMES = {
  leaf: "the certificate",
  authority: "the authority",
  revocation_list: "the",
} as const;

/** The actions: certificate.reloaded, certificate.refused, certificate.expiring, certificate.expired (S33). */
export function credentialEvent(event: CredentialEvent): AuditEvent {
  return { category: "certificate", ...factsOf(event) };
}

type Facts = Pick<AuditEvent, "action" | "severity" | "outcome" | "reason" | "before" | "after">;

function factsOf(event: CredentialEvent): Facts {
  if (event.kind === "reloaded") return reloaded(event);
  if (event.kind === "refused") {
    return failure("certificate.refused", `${event.use}: ${event.text}`);
  }
  const { ending } = event;
  const name = `${event.use}: ${ENDING_NAMES[ending.kind]} ${ending.name}`;
  if (event.kind === "expired") {
    return failure("certificate.expired", `${name} ended on ${isoDate(ending.untilMs)}`);
  }
  return {
    action: "certificate.expiring",
    severity: "warning",
    outcome: "success",
    reason: `${name} ends in ${event.daysLeft} days, on ${isoDate(ending.untilMs)}`,
  };
}

function reloaded(event: Extract<CredentialEvent, { readonly kind: "reloaded" }>): Facts {
  const { change, before, after } = event;
  const parts = (["identity", "trust", "revocations"] as const).filter((part) => change[part]);
  const what = parts.length === 0 ? "settings" : parts.join(", ");
  return {
    action: "certificate.reloaded",
    severity: "notice",
    outcome: "success",
    reason: `${event.use}: ${what} (${event.cause})`,
    before,
    after,
  };
}

function failure(action: string, reason: string): Facts {
  return { action, severity: "alert", outcome: "failure", reason };
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString();
}
