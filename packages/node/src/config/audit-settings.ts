/** The settings of the audit trail: a part of the table in schema.ts. */
import type { AuditSettings } from "../audit/audit-settings.ts";
import { webUrl } from "./network-kinds.ts";
import type { Setting } from "./setting.ts";
import { bytes, choice, integer, password, path, yesNo } from "./value-kinds.ts";

const MEBIBYTE = 1024 ** 2;
const GIBIBYTE = 1024 ** 3;
const HOUR_MS = 3_600_000;

export const AUDIT_SETTINGS: {
  readonly [Field in keyof AuditSettings]: Setting<AuditSettings[Field]>;
} = {
  auditEnabled: {
    name: "audit",
    group: "audit",
    kind: yesNo,
    defaultText: "yes",
    about:
      "Whether logins, denials, changes of users and settings, dangerous commands and refused connections are recorded in files below `dir`, in `audit`. See docs/audit.md.",
    common: true,
  },
  auditKeys: {
    name: "audit-keys",
    group: "audit",
    kind: choice(["none", "hash", "names"]),
    defaultText: "hash",
    about:
      "How records name the keys of a command. hash: equal names look equal, and can not be read. names: as they are. none: not at all. Values are never recorded.",
    live: true,
  },
  auditKeyFile: {
    name: "audit-key-file",
    group: "audit",
    kind: path,
    defaultText: "",
    defaultMeaning: "none",
    about:
      "A file with a secret of at least 16 bytes. With it the hash chain can only be made and verified by who has the secret, and hashed names of keys can not be guessed. All nodes should have the same.",
  },
  auditOnFailure: {
    name: "audit-on-failure",
    group: "audit",
    kind: choice(["drop", "block"]),
    defaultText: "drop",
    about:
      "When records can not be written (the disk is full) or a receiver does not keep up. drop: commands run, and what is not recorded is counted. block: commands that have to be in the trail are refused with AUDITFAIL.",
    live: true,
    common: true,
  },
  auditFsync: {
    name: "audit-fsync",
    group: "audit",
    kind: choice(["always", "interval", "no"]),
    defaultText: "interval",
    about:
      "When records are forced to the disk. always: after every write. interval: every second. no: when the system does it, and before an anchor.",
  },
  auditFileBytes: {
    name: "audit-file-bytes",
    group: "audit",
    kind: bytes({ min: 256 * 1024, max: 16 * GIBIBYTE }),
    defaultText: "64mb",
    about: "Size of one audit file; then the next one is begun.",
  },
  auditKeepFiles: {
    name: "audit-keep-files",
    group: "audit",
    kind: integer({ min: 2, max: 100_000 }),
    defaultText: "16",
    about: "Audit files that are kept; the oldest is removed when there are more.",
  },
  auditAnchorIntervalMs: {
    name: "audit-anchor-interval-ms",
    group: "audit",
    kind: integer({ min: 1000, max: 24 * HOUR_MS }),
    defaultText: "10000",
    about:
      "How often the newest record is witnessed by the cluster, when there are new ones. What was recorded since the last time can be cut off unnoticed.",
  },
  auditRingEntries: {
    name: "audit-ring-entries",
    group: "audit",
    kind: integer({ min: 16, max: 1_000_000 }),
    defaultText: "4096",
    about:
      "Newest records that are held in memory for FERRITE.AUDIT; older ones are read from the files.",
  },
  auditQueueBytesMax: {
    name: "audit-queue-bytes",
    group: "audit",
    kind: bytes({ min: MEBIBYTE, max: 4 * GIBIBYTE }),
    defaultText: "16mb",
    about:
      "Bytes of records that may wait for the disk, and as many again for each receiver. Beyond it audit-on-failure decides.",
  },
  auditRepeatLimit: {
    name: "audit-repeat-limit",
    group: "audit",
    kind: integer({ min: 0, max: 1_000_000 }),
    defaultText: "10",
    about:
      "Equal failures of one address within ten seconds that are recorded one by one; the others are counted in one record. 0 records each.",
  },
  auditStdout: {
    name: "audit-stdout",
    group: "audit",
    kind: yesNo,
    defaultText: "no",
    about: "Whether records are printed to standard output as well, between the lines of the log.",
  },
  auditSyslog: {
    name: "audit-syslog",
    group: "audit",
    kind: webUrl(["tcp:", "tls:"]),
    defaultText: "",
    defaultMeaning: "off",
    about:
      "A syslog server that gets every record (RFC 5424): `tls://host:6514`, or `tcp://host:601` within a network that is trusted.",
  },
  auditSyslogCaCertFile: {
    name: "audit-syslog-ca-cert-file",
    group: "audit",
    kind: path,
    defaultText: "",
    defaultMeaning: "the authorities that Node.js trusts",
    about:
      "The authority that has signed the certificate of the syslog server (PEM). Read again when it changes.",
  },
  auditSyslogCertFile: {
    name: "audit-syslog-cert-file",
    group: "audit",
    kind: path,
    defaultText: "",
    defaultMeaning: "none is shown",
    about:
      "The certificate that the syslog server is shown (PEM), where it asks for one. Read again when it changes.",
  },
  auditSyslogKeyFile: {
    name: "audit-syslog-key-file",
    group: "audit",
    kind: path,
    defaultText: "",
    about: "The key of audit-syslog-cert-file (PEM, not encrypted).",
  },
  auditOtlpUrl: {
    name: "audit-otlp-url",
    group: "audit",
    kind: webUrl(["https:", "http:"]),
    defaultText: "",
    defaultMeaning: "off",
    about:
      "An OpenTelemetry collector that gets every record (OTLP over HTTP, JSON): `https://host:4318/v1/logs`.",
  },
  auditOtlpAuthorization: {
    name: "audit-otlp-authorization",
    group: "audit",
    kind: password,
    defaultText: "",
    about: "The value of the Authorization header for audit-otlp-url, such as `Bearer ...`.",
    secret: true,
  },
  auditWebhookUrl: {
    name: "audit-webhook-url",
    group: "audit",
    kind: webUrl(["https:", "http:"]),
    defaultText: "",
    defaultMeaning: "off",
    about: 'An address that every record is posted to, many at a time: `{"records":[...]}`.',
  },
  auditWebhookAuthorization: {
    name: "audit-webhook-authorization",
    group: "audit",
    kind: password,
    defaultText: "",
    about: "The value of the Authorization header for audit-webhook-url, such as `Bearer ...`.",
    secret: true,
  },
};
