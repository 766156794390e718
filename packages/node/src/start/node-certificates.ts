/**
 * The certificates of a running node, one set for clients and one for peers, kept to the settings. Opened before anything
 * listens: with files that are not good a node does not start.
 */
import type { AuditEvent, AuditTrail } from "../audit/audit-trail.ts";
import { credentialEvent } from "../audit/certificate-events.ts";
import type { CredentialEvent } from "../certificates/credential-events.ts";
import type {
  CredentialHealth,
  LiveCredentials,
  ReloadCause,
  ReloadOutcome,
} from "../certificates/live-credentials.ts";
import type { CertificatePorts } from "../certificates/ports.ts";
import {
  openCredentials,
  type CredentialOptions,
  type ManagedCredentials,
} from "../certificates/watched-credentials.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { credentialSource, type NodeUse } from "./credential-sources.ts";

const USES: readonly NodeUse[] = ["clients", "peers"];

/** A change of these is looked at before it is made. */
export const CERTIFICATE_FIELDS: readonly (keyof NodeConfig)[] = [
  "tlsCertFile",
  "tlsKeyFile",
  "tlsKeyPassphraseFile",
  "tlsCaCertFile",
  "tlsCaCertDirectory",
  "tlsCrlFile",
  "tlsCrlStale",
  "peerTlsCertFile",
  "peerTlsKeyFile",
  "peerTlsKeyPassphraseFile",
  "peerTlsCaCertFile",
  "peerTlsCaCertDirectory",
  "peerTlsCrlFile",
  "peerAllowedSan",
];

/** Events before there is a trail to take them: a start can take long, when other nodes are down. */
const EARLY_EVENTS_MAX = 100;
const SECOND_MS = 1000;
/** Readiness speaks of an end that is this near. */
const SOON_MS = 7 * 24 * 3600 * SECOND_MS;

export class NodeCertificates {
  readonly #credentials = new Map<NodeUse, ManagedCredentials>();
  readonly #early: AuditEvent[] = [];
  readonly #nowMs: () => number;
  #audit: Pick<AuditTrail, "record"> | null = null;

  private constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @throws CertificateError that names setting, file and fix */
  static async open(config: NodeConfig, ports: CertificatePorts): Promise<NodeCertificates> {
    const certificates = new NodeCertificates(() => ports.clock.nowMs());
    try {
      for (const use of USES) await certificates.#open(use, config, ports);
      return certificates;
    } catch (error) {
      certificates.close();
      throw error;
    }
  }

  /** For Redis clients and HTTP; null: the node has no certificate. */
  get clients(): LiveCredentials | null {
    return this.#credentials.get("clients") ?? null;
  }

  /** For links to other nodes; null in a cluster of one. */
  get peers(): LiveCredentials | null {
    return this.#credentials.get("peers") ?? null;
  }

  /** What happened so far, and what will happen, goes into the trail. */
  attachAudit(audit: Pick<AuditTrail, "record">): void {
    this.#audit = audit;
    for (const event of this.#early.splice(0)) audit.record(event);
  }

  health(): readonly CredentialHealth[] {
    return [...this.#credentials.values()].map((each) => each.health());
  }

  /** What is not as it should be, without names of files and certificates: anybody may ask for it (readiness). */
  warnings(): readonly string[] {
    const nowMs = this.#nowMs();
    return this.health().flatMap((each) => warningsOf(each, nowMs));
  }

  /** Reads all files again. Never rejects: what is wrong has been told, and stands in the outcomes. */
  async reload(cause: ReloadCause): Promise<readonly ReloadOutcome[]> {
    return await Promise.all([...this.#credentials.values()].map((each) => each.reload(cause)));
  }

  /**
   * Null when the files that `next` names could serve, else what is wrong with them. What was looked at is what `applyConfig`
   * will put into service.
   */
  async prepare(next: NodeConfig): Promise<string | null> {
    for (const use of USES) {
      const source = credentialSource(next, use);
      const current = this.#credentials.get(use);
      if (source === null && current === undefined) continue;
      if (source === null || current === undefined) {
        const what = source === null ? "taken away from" : "given to";
        return `certificates for ${use} can not be ${what} a node that runs: restart it with them`;
      }
      const problem = await current.prepare(source);
      if (problem !== null) return problem;
    }
    return null;
  }

  /** Takes over changed settings, after `prepare` has agreed to them. */
  applyConfig(config: NodeConfig): void {
    for (const [use, credentials] of this.#credentials) {
      const options = optionsOf(config, use);
      if (options !== null) credentials.configure(options);
    }
  }

  close(): void {
    for (const each of this.#credentials.values()) each.close();
  }

  async #open(use: NodeUse, config: NodeConfig, ports: CertificatePorts): Promise<void> {
    const options = optionsOf(config, use);
    if (options === null) return;
    const onEvent = (event: CredentialEvent): void => this.#record(credentialEvent(event));
    this.#credentials.set(use, await openCredentials(options, { ports, onEvent }));
  }

  #record(event: AuditEvent): void {
    if (this.#audit !== null) this.#audit.record(event);
    else if (this.#early.length < EARLY_EVENTS_MAX) this.#early.push(event);
  }
}

function optionsOf(config: NodeConfig, use: NodeUse): CredentialOptions | null {
  const source = credentialSource(config, use);
  if (source === null) return null;
  return {
    source,
    reloadIntervalMs: config.tlsReloadIntervalSeconds * SECOND_MS,
    warningDays: config.tlsExpiryWarningDays,
  };
}

/** Readiness is open to everybody: what is wrong is said, and where to look, but no path and no name. */
function warningsOf(health: CredentialHealth, nowMs: number): readonly string[] {
  const { use, refused, validUntilMs, listsUntilMs } = health;
  const warnings: string[] = [];
  if (refused !== null) {
    warnings.push(`the files for ${use} are not good, those from before serve (see the log)`);
  }
  if (validUntilMs <= nowMs) warnings.push(`the certificate for ${use} has ended`);
  else if (validUntilMs - nowMs <= SOON_MS) {
    warnings.push(`the certificate for ${use} ends within a week`);
  }
  if (listsUntilMs.some((untilMs) => untilMs !== null && untilMs <= nowMs)) {
    warnings.push(`a revocation list for ${use} is out of date`);
  }
  return warnings;
}
