/** One record as a node sent it: read with care, it comes from another machine and maybe from another version. */
import type { Style } from "../terminal/style.ts";
import { printable } from "../terminal/table.ts";

export interface RecordView {
  /** As it stands in the file. */
  readonly line: string;
  readonly sequence: number;
  readonly timestamp: string;
  readonly node: string;
  readonly category: string;
  readonly severity: string;
  readonly action: string;
  readonly outcome: string;
  readonly user: string;
  readonly address: string;
  readonly command: string;
  readonly reason: string;
  readonly before: string;
  readonly after: string;
  /** Every text in it, in lower case, but not the names of fields. */
  readonly texts: string;
}

/** Null when it is no record. */
export function readRecord(line: string): RecordView | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const fields = asObject(value);
  const { seq } = fields;
  if (!Number.isSafeInteger(seq)) return null;
  return {
    line,
    sequence: seq as number,
    timestamp: asText(fields["ts"]),
    node: asText(asObject(fields["node"])["name"]),
    category: asText(fields["category"]),
    severity: asText(fields["severity"]),
    action: asText(fields["action"]),
    outcome: asText(fields["outcome"]),
    user: asText(fields["user"]),
    address: asText(asObject(fields["client"])["addr"]),
    command: asText(fields["command"]),
    reason: asText(fields["reason"]),
    before: asText(fields["before"]),
    after: asText(fields["after"]),
    texts: textsOf(fields).join("\n").toLowerCase(),
  };
}

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** One line for people. Nothing in it may drive the terminal. */
export function recordText(record: RecordView, style: Style): string {
  const time = record.timestamp.replace("T", " ").slice(0, 23);
  const facts = [
    ["user", record.user],
    ["from", record.address],
    ["command", record.command],
    ["before", record.before],
    ["after", record.after],
  ].flatMap(([name, value]) => (value === "" ? [] : [`${name}=${quoted(value ?? "")}`]));
  const reason = record.reason === "" ? [] : [`(${record.reason})`];
  const failed = record.outcome === "failure";
  const action = printable(record.action);
  const words = [
    style.dim(printable(`${time} ${record.node}`)),
    failed || record.severity === "alert" ? style.bad(action) : style.bold(action),
    printable([...facts, ...reason].join(" ")),
  ];
  return words.join("  ").trimEnd();
}

function quoted(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

/** By time; records of one node keep their order also when its clock was set back. */
export function mergeByTime(trails: readonly (readonly RecordView[])[]): RecordView[] {
  const merged: RecordView[] = [];
  const next = trails.map(() => 0);
  for (;;) {
    let first = -1;
    for (const [at, trail] of trails.entries()) {
      const record = trail[next[at] ?? 0];
      if (record === undefined) continue;
      const best = first < 0 ? undefined : trails[first]?.[next[first] ?? 0];
      if (best === undefined || record.timestamp < best.timestamp) first = at;
    }
    if (first < 0) return merged;
    merged.push(trails[first][next[first]]);
    next[first]++;
  }
}
