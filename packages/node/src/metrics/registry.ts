/** Puts the metrics of all subsystems into one registry of the node's own: several nodes may live in one process. */
import { Registry } from "prom-client";
import { AT_REST_OFF } from "../at-rest/at-rest-off.ts";
import { registerAccessMetrics, type AccessMetricsSource } from "./access-metrics.ts";
import { registerAtRestMetrics, type AtRestMetricsSource } from "./at-rest-metrics.ts";
import { registerAuditMetrics, type AuditMetricsSource } from "./audit-metrics.ts";
import { registerAuthMetrics, type AuthMetricsSource } from "./auth-metrics.ts";
import type { CertificatesView } from "../certificates/live-credentials.ts";
import { registerCertificateMetrics } from "./certificate-metrics.ts";
import { registerKeyspaceMetrics, type KeyspaceMetricsSource } from "./keyspace-metrics.ts";
import { registerPeerMetrics, type PeerMetricsSource } from "./peer-metrics.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import { registerRaftMetrics, type RaftMetricsSource } from "./raft-metrics.ts";
import { registerServerMetrics, type ServerMetricsSource } from "./server-metrics.ts";

export interface MetricsSources {
  readonly replica: RaftMetricsSource;
  readonly server: ServerMetricsSource;
  readonly keyspace: KeyspaceMetricsSource;
  readonly logins: AuthMetricsSource;
  readonly access: AccessMetricsSource;
  readonly audit: AuditMetricsSource;
  readonly certificates: CertificatesView;
  /** Absent: nothing is encrypted on disk. */
  readonly atRest?: AtRestMetricsSource;
  /** Absent where there are no links to other nodes. */
  readonly peers?: PeerMetricsSource;
}

/** A registry with everything a node measures. Values are read when it is scraped. */
export function createMetricsRegistry(sources: MetricsSources): Registry {
  const registry = new Registry();
  registerProcessMetrics(registry, { version: sources.server.ferriteVersion });
  registerRaftMetrics(registry, sources.replica);
  registerServerMetrics(registry, sources.server);
  registerKeyspaceMetrics(registry, sources.keyspace);
  registerAuthMetrics(registry, sources.logins);
  registerAccessMetrics(registry, sources.access);
  registerAuditMetrics(registry, sources.audit);
  registerCertificateMetrics(registry, sources.certificates);
  registerAtRestMetrics(registry, sources.atRest ?? AT_REST_OFF);
  if (sources.peers !== undefined) registerPeerMetrics(registry, sources.peers);
  return registry;
}
