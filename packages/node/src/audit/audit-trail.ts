/**
 * What the rest of the node knows of the audit trail: one call. Secrets never come here; the caller leaves them out
 * (events.ts has a function for each kind of event that does).
 *
 * Texts that came from a client (user, name, command, keys) are byte strings as `Argv.latin1` gives them; the trail turns
 * them into readable text itself and caps their length (readable-text.ts, limits.ts).
 */

import type { AuditLogView } from "./audit-log-view.ts";

export type AuditCategory =
  | "auth"
  | "denial"
  | "acl"
  | "config"
  | "command"
  | "membership"
  | "connection"
  | "node"
  /** Those of this node: reloaded, refused, near their end. */
  | "certificate"
  /** The trail about itself: begun anew, torn, dropped, a sink that failed. */
  | "audit";

export type AuditSeverity = "info" | "notice" | "warning" | "alert";

/** Who was at the other end, as far as there was one. */
export interface AuditClient {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly name: string;
  /** Null before authentication. */
  readonly user: string | null;
  readonly isTls: boolean;
  /** SHA-256 of the client's certificate, hex; null without one. */
  readonly certificateFingerprint: string | null;
  /** Of the same: serial number in hex, and subject for people. */
  readonly certificateSerial?: string | null;
  readonly certificateSubject?: string | null;
}

export interface AuditEvent {
  readonly category: AuditCategory;
  /** What happened, in a word with dots: "auth.accepted", "acl.setuser", "connection.refused.protected-mode". */
  readonly action: string;
  readonly severity: AuditSeverity;
  readonly outcome: "success" | "failure";
  readonly client?: AuditClient;
  /** The user that tried, where it is not the client's (a failed AUTH). */
  readonly user?: string;
  /** "password", "certificate", "implicit". */
  readonly method?: string;
  /** Full name of the command, lower case. */
  readonly command?: string;
  /** Names of keys, when the configuration lets them in; never values. */
  readonly keys?: readonly string[];
  /** Why, in words, without secrets. */
  readonly reason?: string;
  /** For changes: what was and what is, without secrets. */
  readonly before?: string;
  readonly after?: string;
  /** Log position of the change. */
  readonly index?: number;
  readonly term?: number;
}

export interface AuditTrail {
  /** Never throws and never waits. */
  record(event: AuditEvent): void;
  /** Null, or why commands that have to be in the trail are refused now (audit-on-failure block). */
  refusal(): string | null;
  /** What FERRITE.AUDIT reads; absent where nothing can be read back. */
  readonly log?: AuditLogView;
}
