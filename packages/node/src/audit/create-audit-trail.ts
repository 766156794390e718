/** Puts the trail of a node together from its settings. */
import { AuditOff } from "./audit-off.ts";
import type { AuditService } from "./audit-service.ts";
import type { AuditSettings } from "./audit-settings.ts";
import type { ChainIdentity } from "./chain.ts";
import { SystemAuditClock, type AuditClock } from "./clock.ts";
import { DiskAuditFileSystem, type AuditFileSystem } from "./files/audit-file-system.ts";
import { KeptTrail, type AuditLogger } from "./kept-trail.ts";
import { SINK_TIMEOUT_MS } from "./limits.ts";
import { OtlpSink } from "./sinks/otlp-sink.ts";
import type { Receiver } from "./sinks/sink.ts";
import { SinkQueue } from "./sinks/sink-queue.ts";
import { StdoutSink } from "./sinks/stdout-sink.ts";
import { SyslogSink } from "./sinks/syslog-sink.ts";
import { WebhookSink } from "./sinks/webhook-sink.ts";

export interface CreateAuditTrailOptions extends ChainIdentity {
  readonly settings: AuditSettings;
  readonly dataDirectory: string;
  readonly version: string;
  readonly logger: AuditLogger;
  /** Tests bring their own time and disk. */
  readonly clock?: AuditClock;
  readonly fileSystem?: AuditFileSystem;
}

/**
 * Nothing is opened before `start`.
 * @throws AuditError badSink when a sink's setting can not be used
 */
export function createAuditTrail(options: CreateAuditTrailOptions): AuditService {
  const { settings, nodeId, nodeName, clusterId } = options;
  if (!settings.auditEnabled) return new AuditOff();
  const clock = options.clock ?? new SystemAuditClock();
  const sinks = receivers(settings, options.version).map(
    (receiver) => new SinkQueue(receiver, clock, settings.auditQueueBytesMax),
  );
  return new KeptTrail({
    settings,
    directory: `${options.dataDirectory}/audit`,
    identity: { nodeId, nodeName, clusterId },
    clock,
    fileSystem: options.fileSystem ?? new DiskAuditFileSystem(),
    sinks,
    logger: options.logger,
  });
}

function receivers(settings: AuditSettings, version: string): Receiver[] {
  const timeoutMs = SINK_TIMEOUT_MS;
  const made: Receiver[] = [];
  if (settings.auditStdout) made.push(new StdoutSink(process.stdout));
  if (settings.auditSyslog !== null) {
    const files = {
      caCertFile: settings.auditSyslogCaCertFile,
      certFile: settings.auditSyslogCertFile,
      keyFile: settings.auditSyslogKeyFile,
    };
    const url = settings.auditSyslog;
    made.push(new SyslogSink({ url, ...files, processId: process.pid, timeoutMs }));
  }
  if (settings.auditOtlpUrl !== null) {
    const { auditOtlpUrl: url, auditOtlpAuthorization: authorization } = settings;
    made.push(new OtlpSink({ url, authorization, timeoutMs }, version));
  }
  if (settings.auditWebhookUrl !== null) {
    const { auditWebhookUrl: url, auditWebhookAuthorization: authorization } = settings;
    made.push(new WebhookSink({ url, authorization, timeoutMs }));
  }
  return made;
}
