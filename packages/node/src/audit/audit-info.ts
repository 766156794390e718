/** The trail in INFO: pairs in the order they are printed. */
import type { AuditStatus } from "./audit-log-view.ts";

export function auditInfo(status: AuditStatus): readonly (readonly [string, string | number])[] {
  const total = (field: "dropped" | "failures" | "queuedRecords"): number =>
    status.sinks.slice(1).reduce((sum, sink) => sum + sink[field], 0);
  const [files] = status.sinks;
  return [
    ["audit_enabled", Number(status.enabled)],
    ["audit_sequence", status.head.sequence],
    ["audit_anchored_sequence", status.anchored?.sequence ?? 0],
    ["audit_records", status.records],
    ["audit_dropped", status.dropped],
    ["audit_repeated", status.repeated],
    ["audit_file_ok", Number((files?.failure ?? null) === null)],
    ["audit_file_failures", files?.failures ?? 0],
    ["audit_file_queue", files?.queuedRecords ?? 0],
    ["audit_sinks", Math.max(0, status.sinks.length - 1)],
    ["audit_sink_failures", total("failures")],
    ["audit_sink_dropped", total("dropped")],
    ["audit_sink_queue", total("queuedRecords")],
    ["audit_refusing", Number(status.refusal !== null)],
  ];
}
