/**
 * The events of a node, one function for each kind: what belongs into it and what must not. Secrets are taken out here, so
 * that whoever raises an event can not forget to.
 */
import { fieldOfName, SETTINGS, type Setting } from "../config/schema.ts";
import type { AuditClient, AuditEvent, AuditSeverity } from "./audit-trail.ts";
import { redactUserLine } from "./redaction.ts";

export type AuthenticationMethod = "password" | "certificate" | "implicit";

/** Log position of a change that was applied. */
export interface ChangePosition {
  readonly index: number;
  readonly term?: number;
}

/** S50, F87: somebody is now `user`. */
export function authenticationAccepted(
  client: AuditClient,
  user: string,
  method: AuthenticationMethod,
): AuditEvent {
  return {
    category: "auth",
    action: "auth.accepted",
    severity: "info",
    outcome: "success",
    client,
    user,
    method,
  };
}

/** `user` is the name that was tried. The reason is for the trail only: the client is never told which it was (S14). */
export function authenticationRefused(
  client: AuditClient,
  attempt: {
    readonly user: string;
    readonly method: AuthenticationMethod;
    readonly reason: string;
  },
): AuditEvent {
  return {
    category: "auth",
    action: "auth.refused",
    severity: "warning",
    outcome: "failure",
    client,
    ...attempt,
  };
}

/** F92: what a user was not allowed to do. `kind` is ACL LOG's reason; "auth" is a command before authentication. */
export function commandDenied(
  client: AuditClient,
  denial: {
    readonly kind: "command" | "key" | "channel" | "auth";
    readonly command: string;
    readonly keys?: readonly string[];
    readonly reason: string;
  },
): AuditEvent {
  const { kind, ...facts } = denial;
  return {
    category: "denial",
    action: `denied.${kind}`,
    severity: "warning",
    outcome: "failure",
    client,
    ...facts,
  };
}

export type UsersAction = "setuser" | "deluser" | "load" | "save" | "seed" | "expire" | "policy";

/**
 * F94: a change of users, made or refused. Lines are redacted here; `before` is absent for a new user, `after` for one that
 * is gone. Without a client the cluster itself did it (a seed, an expiry).
 */
export function usersChanged(change: {
  readonly action: UsersAction;
  readonly client?: AuditClient;
  readonly before?: string;
  readonly after?: string;
  readonly position?: ChangePosition;
  /** Why it was refused; then the outcome is a failure. */
  readonly refusal?: string;
}): AuditEvent {
  const { client, before, after, position, refusal } = change;
  return {
    category: "acl",
    action: `acl.${change.action}`,
    severity: "notice",
    outcome: refusal === undefined ? "success" : "failure",
    ...(client === undefined ? {} : { client }),
    command: `acl|${change.action}`,
    ...(before === undefined ? {} : { before: redactUserLine(before) }),
    ...(after === undefined ? {} : { after: redactUserLine(after) }),
    ...(refusal === undefined ? {} : { reason: redactUserLine(refusal) }),
    ...position,
  };
}

const REDACTED = "(redacted)";

/** F90: one setting before and after CONFIG SET. Values of secret settings are replaced, also in a refusal. */
export function settingChanged(
  client: AuditClient,
  change: {
    readonly name: string;
    readonly before: string;
    readonly after: string;
    /** Why it was refused; then the outcome is a failure. */
    readonly refusal?: string;
  },
): AuditEvent {
  const shown = (value: string): string =>
    isSecretSetting(change.name) && value !== "" ? REDACTED : value;
  const { refusal } = change;
  return {
    category: "config",
    action: "config.set",
    severity: "notice",
    outcome: refusal === undefined ? "success" : "failure",
    client,
    command: "config|set",
    before: `${change.name} ${shown(change.before)}`,
    after: `${change.name} ${shown(change.after)}`,
    ...(refusal === undefined
      ? {}
      : { reason: isSecretSetting(change.name) ? "the value is refused" : refusal }),
  };
}

/** A name that is no setting may be a mistyped secret one. */
function isSecretSetting(name: string): boolean {
  const field = fieldOfName(name);
  return field === undefined || (SETTINGS[field] as Setting<unknown>).secret === true;
}

/** F91: a command of the categories dangerous or admin was carried out (FLUSHALL, KEYS, SHUTDOWN, CLIENT KILL). */
export function dangerousCommand(
  client: AuditClient,
  run: {
    readonly command: string;
    readonly keys?: readonly string[];
    /** Why it failed; then the outcome is a failure. */
    readonly failure?: string;
    readonly position?: ChangePosition;
  },
): AuditEvent {
  const { command, keys, failure, position } = run;
  return {
    category: "command",
    action: "command.dangerous",
    severity: "notice",
    outcome: failure === undefined ? "success" : "failure",
    client,
    command,
    ...(keys === undefined ? {} : { keys }),
    ...(failure === undefined ? {} : { reason: failure }),
    ...position,
  };
}

export type MembershipAction = "formed" | "added" | "promoted" | "demoted" | "replaced" | "removed";

/** Who belongs to the cluster, before and after, as names and ids. */
export function membershipChanged(change: {
  readonly action: MembershipAction;
  readonly before?: string;
  readonly after: string;
  readonly position?: ChangePosition;
  readonly client?: AuditClient;
  /** Why it was refused or given up; then the outcome is a failure. */
  readonly refusal?: string;
}): AuditEvent {
  const { action, position, refusal, ...facts } = change;
  return {
    category: "membership",
    action: `membership.${action}`,
    severity: "notice",
    outcome: refusal === undefined ? "success" : "failure",
    ...facts,
    ...(refusal === undefined ? {} : { reason: refusal }),
    ...position,
  };
}

/** F95. limit: of unauthenticated connections, arguments or bytes. cross-protocol: HTTP where Redis' protocol is spoken. */
export type ConnectionRefusal =
  | "protected-mode"
  | "tls"
  | "max-clients"
  | "unauthenticated-limit"
  | "unauthenticated-deadline"
  | "cross-protocol"
  | "certificate"
  | "credentials-stale"
  | "user-limit";

/** A connection was turned away, or closed before it was anybody's. */
export function connectionRefused(
  client: AuditClient,
  refusal: { readonly kind: ConnectionRefusal; readonly reason: string },
): AuditEvent {
  return {
    category: "connection",
    action: `connection.refused.${refusal.kind}`,
    severity: "warning",
    outcome: "failure",
    client,
    reason: refusal.reason,
  };
}

/** The cluster closed a connection whose user was removed, disabled or narrowed. */
export function connectionRevoked(client: AuditClient, reason: string): AuditEvent {
  return {
    category: "connection",
    action: "connection.revoked",
    severity: "notice",
    outcome: "success",
    client,
    reason,
  };
}

/** `settings` are those that are not at their default, secrets hidden (config/show.ts). */
export function nodeStarted(facts: {
  readonly version: string;
  readonly settings: Readonly<Record<string, string>>;
}): AuditEvent {
  const settings = Object.entries(facts.settings).map(([name, value]) => `${name} ${value}`);
  return {
    category: "node",
    action: "node.started",
    severity: "notice",
    outcome: "success",
    reason: `version ${facts.version}`,
    after: settings.join("; "),
  };
}

/** `cause` is what ended the node, null for a stop that was asked for. */
export function nodeStopped(cause: Error | null): AuditEvent {
  const severity: AuditSeverity = cause === null ? "notice" : "alert";
  return {
    category: "node",
    action: "node.stopped",
    severity,
    outcome: cause === null ? "success" : "failure",
    ...(cause === null ? {} : { reason: cause.message }),
  };
}
