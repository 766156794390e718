/** What a running node says of itself where operators look: log, metrics, readiness and the audit trail on disk. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestCluster } from "../../../e2e/harness/cluster.ts";

export interface AuditRecord {
  readonly seq: number;
  readonly category: string;
  readonly action: string;
  readonly outcome: string;
  readonly user: string | null;
  readonly method: string | null;
  readonly reason: string | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly client: {
    readonly tls: boolean;
    /** SHA-256 in upper-case hex without colons. */
    readonly cert: string | null;
    readonly cert_serial: string | null;
    readonly cert_subject: string | null;
  } | null;
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

/** Lines of the node's log that are JSON, since its first start. */
export function logLines(cluster: TestCluster, node: number): LogLine[] {
  return cluster
    .log(node)
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as LogLine);
}

/** Every record of the node's own trail that is on its disk. */
export function auditRecords(cluster: TestCluster, node: number): AuditRecord[] {
  const directory = join(cluster.nodes[node].dataDir, "audit");
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n"))
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as AuditRecord);
}

/** The value of one metric with exactly these labels, 0 when it is not there. */
export function metricIn(text: string, name: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  for (const line of text.split("\n")) {
    const [, found, inside = "", value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (found === name && wanted.every((each) => inside.includes(each))) return Number(value);
  }
  return 0;
}
