/** What the audit trail takes, keeps and loses. */
import type { Registry } from "prom-client";
import type { AuditLogView, SinkStatus } from "../audit/audit-log-view.ts";
import {
  followCounter,
  followGauge,
  followLabelledCounter,
  followLabelledGauge,
} from "./running-counter.ts";

/** What these metrics read of the trail. */
export type AuditMetricsSource = Pick<AuditLogView, "status">;

type SinkNumber = "delivered" | "failures" | "dropped";

const SINK_COUNTERS: readonly (readonly [SinkNumber, string, string])[] = [
  ["delivered", "records_delivered", "Audit records written to a sink."],
  ["failures", "delivery_failures", "Writes to an audit sink that failed; they are tried again."],
  ["dropped", "records_dropped", "Audit records that a sink will never get."],
];

const SINK_GAUGES: readonly (readonly [string, string, (sink: SinkStatus) => number])[] = [
  ["queue_records", "Audit records that wait for a sink.", (sink) => sink.queuedRecords],
  ["queue_bytes", "Bytes of audit records that wait for a sink.", (sink) => sink.queuedBytes],
  [
    "up",
    "1 when the last write to an audit sink succeeded.",
    (sink) => Number(sink.failure === null),
  ],
];

export function registerAuditMetrics(registry: Registry, source: AuditMetricsSource): void {
  const counter = (name: string, help: string, read: () => number): void =>
    followCounter(registry, { name: `ferrite_audit_${name}_total`, help }, read);
  counter("records", "Audit records made.", () => source.status().records);
  counter("repeated_events", "Equal failures that were counted, not recorded one by one.", () => {
    return source.status().repeated;
  });
  counter("dropped_events", "Events that were not recorded: the queue was full.", () => {
    return source.status().dropped;
  });
  followGauge(
    registry,
    { name: "ferrite_audit_sequence", help: "Sequence of the newest audit record." },
    () => source.status().head.sequence,
  );
  followGauge(
    registry,
    {
      name: "ferrite_audit_anchored_sequence",
      help: "Newest audit record that the cluster has witnessed; 0 before the first.",
    },
    () => source.status().anchored?.sequence ?? 0,
  );
  followGauge(
    registry,
    {
      name: "ferrite_audit_refusing",
      help: "1 while commands that have to be in the audit trail are refused.",
    },
    () => source.status().refusal !== null,
  );
  registerSinks(registry, source);
}

function registerSinks(registry: Registry, source: AuditMetricsSource): void {
  for (const [field, name, help] of SINK_COUNTERS) {
    followLabelledCounter(registry, {
      name: `ferrite_audit_sink_${name}_total`,
      help,
      label: "sink",
      read: () => source.status().sinks.map((sink) => [sink.name, sink[field]] as const),
    });
  }
  for (const [name, help, read] of SINK_GAUGES) {
    followLabelledGauge(registry, {
      name: `ferrite_audit_sink_${name}`,
      help,
      label: "sink",
      read: () => source.status().sinks.map((sink) => [sink.name, read(sink)] as const),
    });
  }
}
