import type { Machine } from "./machine.ts";
import type { RowResult } from "./measure-row.ts";
import type { BenchSettings } from "./settings.ts";

export interface BenchReport {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: BenchSettings;
  readonly rows: readonly RowResult[];
  /** Rows that could not be measured here, each with the reason. */
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

/** A machine that does nothing else is below this. */
const QUIET_LOAD_MAX = 0.5;

const HEADER = ["work", "against", "ours", "theirs", "ratio", "range", "floor", "goal", ""];

/** The report as a Markdown table, which docs/benchmarks.md takes as it is. */
export function renderTable(report: BenchReport): string {
  const lines = report.rows.map((row) => [
    row.title,
    row.theirsLabel,
    amount(row.oursMedian, row.unit),
    amount(row.theirsMedian, row.unit),
    row.ratioMedian.toFixed(2),
    `${row.ratioMin.toFixed(2)}–${row.ratioMax.toFixed(2)}`,
    String(row.floor),
    String(row.goal),
    report.settings.conclusive ? verdict(row) : "too short to tell",
  ]);
  const rows = [HEADER, ...lines];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const render = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [render(HEADER), rule, ...lines.map(render)].join("\n");
}

/** The lines above the table: on what and with what it was measured. */
export function renderConditions(report: BenchReport): string {
  const { machine, settings } = report;
  const versions = Object.entries(report.versions).map(
    ([name, version]) => `  ${name}: ${version}`,
  );
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node.js ${machine.node}, ` +
      `load ${machine.loadAverage.toFixed(2)} at the start`,
    `${settings.rounds} alternating rounds of ${settings.durationMs / 1000} s ` +
      `after ${settings.warmupMs / 1000} s of warm-up, ${settings.keyCount} keys, ` +
      `values of ${settings.valueBytes} B`,
    ...versions,
    ...(machine.loadAverage > QUIET_LOAD_MAX
      ? ["Other programs were busy on this machine: repeat the run when it is quiet."]
      : []),
    ...(machine.dataFolderInMemory
      ? ["The data lies in memory: syncing costs nothing here, so write rows say nothing."]
      : []),
  ].join("\n");
}

function verdict(row: RowResult): string {
  if (row.faults.length > 0) return row.faults[0];
  return row.floorReached ? "floor reached" : "below floor";
}

function amount(value: number, unit: string): string {
  if (unit === "op/s") return `${Math.round(value).toLocaleString("en-US")}/s`;
  return unit === "ms" ? `${value.toFixed(2)} ms` : `${value.toFixed(1)} B`;
}
