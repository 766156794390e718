/** Records as OpenTelemetry logs: ExportLogsServiceRequest in the JSON form of OTLP/HTTP 1.x. */
import type { AuditSeverity } from "../audit-trail.ts";
import type { SealedRecord } from "../chain.ts";
import { recordId, type AuditRecord } from "../record.ts";

/** The data model's mapping of syslog's severities: INFO, INFO2, WARN, ERROR3. */
const SEVERITY_NUMBERS: Readonly<Record<AuditSeverity, number>> = {
  info: 9,
  notice: 10,
  warning: 13,
  alert: 19,
};

type Value = { readonly stringValue: string } | { readonly intValue: string };
interface Attribute {
  readonly key: string;
  readonly value: Value;
}

export function otlpRequest(batch: readonly SealedRecord[], serviceVersion: string): string {
  const first = batch[0]?.record;
  return JSON.stringify({
    resourceLogs: [
      {
        resource: {
          attributes: present([
            ["service.name", "ferrite"],
            ["service.version", serviceVersion],
            ["service.instance.id", first?.nodeId ?? null],
            ["service.namespace", first?.clusterId ?? null],
          ]),
        },
        scopeLogs: [{ scope: { name: "ferrite.audit" }, logRecords: batch.map(logRecord) }],
      },
    ],
  });
}

function logRecord({ record, line }: SealedRecord): unknown {
  const time = record.timestampNanoseconds.toString();
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: SEVERITY_NUMBERS[record.severity],
    severityText: record.severity,
    eventName: record.action,
    // The line as it is: a collector's copy can be verified.
    body: { stringValue: line.toString("utf8", 0, line.length - 1) },
    attributes: recordAttributes(record),
  };
}

function recordAttributes(record: AuditRecord): Attribute[] {
  return present([
    ["log.record.uid", recordId(record)],
    ["ferrite.audit.seq", record.sequence],
    ["ferrite.audit.category", record.category],
    ["ferrite.audit.action", record.action],
    ["ferrite.audit.outcome", record.outcome],
    ["ferrite.node.name", record.nodeName],
    ["user.name", record.user],
    ["client.address", record.client?.address ?? null],
    ["db.operation.name", record.command],
    ["ferrite.audit.reason", record.reason],
  ]);
}

function present(fields: readonly (readonly [string, string | number | null])[]): Attribute[] {
  return fields.flatMap(([key, value]): Attribute[] =>
    value === null ? [] : [{ key, value: anyValue(value) }],
  );
}

/** OTLP/JSON writes 64-bit integers as strings. */
function anyValue(value: string | number): Value {
  return typeof value === "number" ? { intValue: String(value) } : { stringValue: value };
}
