/**
 * Certificates of a running node as its listeners and dialers see them: always a pair that was checked and proven, which
 * changes under them when the files do. A pair that is not good never gets here; the one before stays, and `health` says so.
 */
import type { X509Certificate } from "node:crypto";
import type { SecureContextOptions } from "node:tls";

/** What the certificates are for; named in logs, metrics (label `use`), INFO and the audit trail. */
export type CredentialUse = "clients" | "peers" | "syslog";

/** What changed with a reload; nobody is told when nothing did. */
export interface CredentialChange {
  /** The own certificate or key: new connections show another one. */
  readonly identity: boolean;
  /** The authorities: connections that are open are to be verified anew. */
  readonly trust: boolean;
  /** The revocation lists: the same. */
  readonly revocations: boolean;
}

/** Why the other side's certificate is not taken. `reason` is a label of metrics, `text` for logs and the trail. */
export interface CertificateRefusal {
  readonly reason:
    | "missing"
    | "untrusted"
    | "expired"
    | "notYetValid"
    | "revoked"
    | "staleRevocationList"
    | "wrongUse"
    | "malformed";
  readonly text: string;
}

/** One generation of files, read, checked against each other and proven by a handshake. Never changes. */
export interface LoadedCredentials {
  /** Counts up with every change. */
  readonly generation: number;
  /** The own certificate. */
  readonly certificate: X509Certificate;
  /** cert, key and ca as `node:tls` takes them; versions and ciphers are the listener's own matter. */
  readonly contextOptions: Pick<SecureContextOptions, "cert" | "key" | "ca">;
  /** Whether there are authorities for the other side. */
  readonly hasAuthorities: boolean;
  /**
   * Looks at the other side's certificate, leaf first with what it sent between leaf and authority: chain, dates,
   * extended key usage, revocation lists. For new connections, resumed ones, and open ones after a change. Null: good.
   */
  verify(
    chain: readonly X509Certificate[],
    usage: "client" | "server" | "both",
    nowMs: number,
  ): CertificateRefusal | null;
}

/** What INFO, metrics, readiness and `ferrite status` show of one use. */
export interface CredentialHealth {
  readonly use: CredentialUse;
  readonly certFile: string;
  readonly subject: string;
  /** Serial number in upper-case hex. */
  readonly serial: string;
  /** SHA-256 in upper-case hex without colons. */
  readonly fingerprint: string;
  /** Unix ms. */
  readonly validUntilMs: number;
  /** The authorities, soonest end first. Unix ms. */
  readonly authoritiesUntilMs: readonly number[];
  /** `nextUpdate` of the revocation lists, soonest first; null: one that names none. */
  readonly listsUntilMs: readonly (number | null)[];
  /** What is not good and did not keep the files from being taken: an ended authority, a stale list. Sentences. */
  readonly warnings: readonly string[];
  /** Since when the files differ from what is served because they are not good, and why; null: all is well. */
  readonly refused: { readonly sinceMs: number; readonly text: string } | null;
  readonly generation: number;
  /** Counted since the start. */
  readonly reloads: {
    readonly changed: number;
    readonly unchanged: number;
    readonly refused: number;
  };
}

/** The same of all uses that a node has. */
export interface CertificatesView {
  health(): readonly CredentialHealth[];
}

export type ReloadCause = "file" | "interval" | "signal" | "config";

export type ReloadOutcome =
  | { readonly result: "changed"; readonly change: CredentialChange }
  | { readonly result: "unchanged" }
  | { readonly result: "refused"; readonly text: string };

export interface LiveCredentials {
  readonly use: CredentialUse;
  current(): LoadedCredentials;
  health(): CredentialHealth;
  /** Called after `current` has changed, until the returned function is called. A listener must not throw. */
  onChange(listener: (now: LoadedCredentials, change: CredentialChange) => void): () => void;
  /** Reads the files again. Never rejects: what is wrong is in the outcome, in `health`, and has been told. */
  reload(cause: ReloadCause): Promise<ReloadOutcome>;
  /** Ends watching. */
  close(): void;
}
