/** What the audit trail is told of keys at rest. No key is in it, only their names and numbers. */
import type { AuditClient, AuditEvent } from "../audit/audit-trail.ts";

/**
 * created: a first keyring. rewrap: by another key-encryption key. rotate: a new node key. settled: older node keys are
 * gone, and files that are not encrypted are not read any more.
 */
export type AtRestAction = "created" | "rewrap" | "rotate" | "settled";

export function atRestChanged(change: {
  readonly action: AtRestAction;
  readonly client?: AuditClient | null;
  readonly before?: string;
  readonly after?: string;
  /** Why it was not done; then the outcome is a failure. */
  readonly refusal?: string;
}): AuditEvent {
  const { action, client, before, after, refusal } = change;
  return {
    category: "node",
    action: `at-rest.${action}`,
    severity: refusal === undefined ? "notice" : "alert",
    outcome: refusal === undefined ? "success" : "failure",
    ...(client === undefined || client === null ? {} : { client }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(refusal === undefined ? {} : { reason: refusal }),
  };
}
