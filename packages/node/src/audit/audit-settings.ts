/** The settings of the trail as they stand in the configuration of a node; config/schema.ts says what they mean. */
export type AuditKeyPolicy = "none" | "hash" | "names";
export type AuditSyncPolicy = "always" | "interval" | "no";
export type AuditFailurePolicy = "drop" | "block";

export interface AuditSettings {
  /** audit, default yes */
  readonly auditEnabled: boolean;
  /** audit-keys, default hash */
  readonly auditKeys: AuditKeyPolicy;
  /** audit-key-file: key of the hash chain and of the names of keys; null = none. */
  readonly auditKeyFile: string | null;
  /** audit-on-failure, default drop */
  readonly auditOnFailure: AuditFailurePolicy;
  /** audit-fsync, default interval */
  readonly auditFsync: AuditSyncPolicy;
  /** audit-file-bytes, default 64 MiB */
  readonly auditFileBytes: number;
  /** audit-keep-files, default 16 */
  readonly auditKeepFiles: number;
  /** audit-anchor-interval-ms, default 10000 */
  readonly auditAnchorIntervalMs: number;
  /** audit-ring-entries, default 4096 */
  readonly auditRingEntries: number;
  /** audit-queue-bytes: records that wait for the file, and for each other sink; default 16 MiB. */
  readonly auditQueueBytesMax: number;
  /** audit-repeat-limit: equal failures of one address within ten seconds that are written one by one; 0 = all. */
  readonly auditRepeatLimit: number;
  /** audit-stdout, default no */
  readonly auditStdout: boolean;
  /** audit-syslog: tcp://host:port or tls://host:port; null = off. */
  readonly auditSyslog: string | null;
  /** audit-syslog-ca-cert-file: null = the authorities that the system trusts. */
  readonly auditSyslogCaCertFile: string | null;
  /** audit-syslog-cert-file, audit-syslog-key-file: what this node shows to the server; both or none. */
  readonly auditSyslogCertFile: string | null;
  readonly auditSyslogKeyFile: string | null;
  /** audit-otlp-url; null = off. */
  readonly auditOtlpUrl: string | null;
  /** audit-otlp-authorization: the value of the Authorization header; empty = none. */
  readonly auditOtlpAuthorization: string;
  /** audit-webhook-url; null = off. */
  readonly auditWebhookUrl: string | null;
  /** audit-webhook-authorization; empty = none. */
  readonly auditWebhookAuthorization: string;
}
