/** What a run has shown, for people and for programs. */
import type { Verdict } from "./checks/verdict.ts";
import { gapsOf, joined, statisticsOf, type Acknowledgements, type GapStatistics } from "./gaps.ts";
import type { MadeFault } from "./nemesis.ts";

export interface FaultRow {
  readonly kind: string;
  readonly made: number;
  /** Longest time without an acknowledged write, per probe that could expect one. */
  readonly gaps: GapStatistics | null;
  /** From the fault's end until all nodes were ready. */
  readonly recovery: GapStatistics | null;
}

export interface OperationRow {
  readonly model: string;
  readonly ok: number;
  readonly fail: number;
  readonly unknown: number;
}

export interface ChaosReport {
  readonly startedAt: string;
  readonly seed: number;
  readonly nodes: number;
  readonly network: string;
  readonly clients: number;
  readonly durationMs: number;
  /** Kinds that could not be made here, and why. */
  readonly missing: Readonly<Record<string, string>>;
  readonly operations: readonly OperationRow[];
  readonly faults: readonly FaultRow[];
  readonly made: readonly MadeFault[];
  readonly verdicts: readonly Verdict[];
  readonly violations: number;
}

/** Faults that were made alone by kind; those that were not have a row of their own, whatever their kinds. */
export function faultRows(
  rounds: readonly (readonly MadeFault[])[],
  nodes: number,
  clients: readonly Acknowledgements[],
): FaultRow[] {
  const alone = rounds.filter((round) => round.length === 1).flat();
  const byKind = Map.groupBy(alone, ({ kind }) => kind);
  const kinds = [...byKind.keys()].toSorted();
  const rows = kinds.map((kind) => rowOf(kind, byKind.get(kind)!, clients));
  const together = rounds.filter((round) => round.length > 1).map((round) => joined(round, nodes));
  return together.length === 0 ? rows : [...rows, rowOf("two at once", together, clients)];
}

function rowOf(
  kind: string,
  faults: readonly MadeFault[],
  clients: readonly Acknowledgements[],
): FaultRow {
  return {
    kind,
    made: faults.length,
    gaps: statisticsOf(faults.flatMap((fault) => gapsOf(fault, clients))),
    recovery: statisticsOf(faults.map(({ endedMs, wellMs }) => wellMs - endedMs)),
  };
}

/** The tables of docs/proof.md. */
export function renderReport(report: ChaosReport): string {
  const seconds = Math.round(report.durationMs / 1000);
  const made = report.made.length;
  const operations = report.operations.reduce(
    (sum, row) => sum + row.ok + row.fail + row.unknown,
    0,
  );
  return [
    `${report.nodes} nodes, ${report.clients} clients, ${seconds} s, seed ${report.seed}; ${report.network}`,
    `${made} faults, ${operations} operations`,
    ...Object.entries(report.missing).map(([kind, why]) => `not made: ${kind}, ${why}`),
    "",
    ...table(
      ["fault", "made", "gap p50", "p99", "max", "ready again p50", "max"],
      report.faults.map(({ kind, made: count, gaps, recovery }) => [
        kind,
        String(count),
        ...[gaps?.p50Ms, gaps?.p99Ms, gaps?.maxMs, recovery?.p50Ms, recovery?.maxMs].map(inMs),
      ]),
    ),
    "",
    ...table(
      ["operations", "ok", "fail", "unknown"],
      report.operations.map(({ model, ok, fail, unknown }) => [
        model,
        ...[ok, fail, unknown].map(String),
      ]),
    ),
    "",
    ...table(
      ["checker", "examined", "undecided", "violations"],
      report.verdicts.map(({ checker, examined, undecided, violations }) => [
        checker,
        ...[examined, undecided, violations.length].map(String),
      ]),
    ),
  ].join("\n");
}

function inMs(ms: number | undefined): string {
  return ms === undefined ? "–" : `${Math.round(ms)} ms`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) => {
    return Math.max(title.length, ...rows.map((row) => row[column].length));
  });
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, column) => {
      return column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
    });
    return `| ${padded.join(" | ")} |`;
  };
  const rule = line(widths.map((width, column) => ruleOf(width, column === 0)));
  return [line(head), rule, ...rows.map(line)];
}

/** Numbers stand to the right. */
function ruleOf(width: number, isText: boolean): string {
  return isText ? "-".repeat(width) : `${"-".repeat(width - 1)}:`;
}
