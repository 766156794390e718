/**
 * `pnpm bench`: Ferrite against its peers on this machine, as the table of docs/benchmarks.md.
 * Asserts nothing about speed; fails if a server fails or answers with errors.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { BenchError } from "./errors.ts";
import { describeMachine } from "./machine.ts";
import { measureRow, type RowResult } from "./measure-row.ts";
import { PeerSet } from "./peers/peer-set.ts";
import { renderConditions, renderTable, type BenchReport } from "./report.ts";
import { accessRows } from "./rows/access-rows.ts";
import { atRestRows } from "./rows/at-rest-rows.ts";
import { memoryRow } from "./rows/memory-row.ts";
import { readRows } from "./rows/read-rows.ts";
import type { Row } from "./rows/row.ts";
import { tlsRows } from "./rows/tls-rows.ts";
import { writeRows } from "./rows/write-rows.ts";
import { fullSettings, quickSettings, type BenchSettings } from "./settings.ts";

const USAGE = `usage: pnpm bench [options]
  --rounds N      alternating rounds per row (default ${fullSettings.rounds})
  --seconds S     measured time of one side of a round (default ${fullSettings.durationMs / 1000})
  --rows A,B      only these rows
  --dir PATH      where the servers keep their data (default: the system's temporary folder)
  --quick         one short round of everything: shows that it runs, its numbers say nothing
  --list          print the rows and end`;

const allRows: readonly Row[] = [
  ...writeRows,
  ...readRows,
  ...accessRows,
  ...tlsRows,
  ...atRestRows,
  memoryRow,
];

const { values } = parseArgs({
  options: {
    rounds: { type: "string" },
    seconds: { type: "string" },
    rows: { type: "string" },
    dir: { type: "string" },
    quick: { type: "boolean" },
    list: { type: "boolean" },
    help: { type: "boolean" },
  },
});

function positive(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!(value > 0)) {
    throw new BenchError(`--${name} wants a positive number, not ${text}\n${USAGE}`);
  }
  return value;
}

function chooseSettings(): BenchSettings {
  const base = values.quick === true ? quickSettings : fullSettings;
  return {
    ...base,
    rounds: Math.ceil(positive("rounds", values.rounds, base.rounds)),
    durationMs: positive("seconds", values.seconds, base.durationMs / 1000) * 1000,
  };
}

function chooseRows(): readonly Row[] {
  if (values.rows === undefined) {
    return allRows;
  }
  return values.rows.split(",").map((id) => {
    const row = allRows.find((candidate) => candidate.id === id);
    if (row === undefined) {
      throw new BenchError(`no row is called ${id}; --list prints them`);
    }
    return row;
  });
}

async function runBench(rows: readonly Row[], settings: BenchSettings): Promise<BenchReport> {
  const dataFolder = mkdtempSync(join(values.dir ?? tmpdir(), "ferrite-bench-"));
  const peers = new PeerSet(dataFolder);
  const abort = (): void => {
    // The row that runs now fails, which ends the run by the usual way.
    void peers.close();
  };
  process.once("SIGINT", abort);
  process.once("SIGTERM", abort);
  const machine = describeMachine(dataFolder);
  const startedAt = new Date().toISOString();
  const results: RowResult[] = [];
  const skipped: { id: string; reason: string }[] = [];
  try {
    for (const row of rows) {
      const missing = peers.missingPrograms(row.theirs.peer);
      if (missing.length > 0) {
        const reason = `${missing.join(", ")} not installed`;
        console.log(`${row.id}: skipped, ${reason}`);
        skipped.push({ id: row.id, reason });
        continue;
      }
      console.log(`${row.id}: ${row.title}, against ${row.theirs.label}`);
      results.push(await measureRow(row, peers, settings, printRound));
    }
  } finally {
    await peers.close();
    process.off("SIGINT", abort);
    process.off("SIGTERM", abort);
    rmSync(dataFolder, { recursive: true, force: true });
  }
  return { startedAt, machine, versions: peers.versions(), settings, rows: results, skipped };
}

function printRound(
  result: { ours: { value: number }; theirs: { value: number }; ratio: number },
  number: number,
): void {
  const ours = result.ours.value.toFixed(1);
  const theirs = result.theirs.value.toFixed(1);
  console.log(`  round ${number + 1}: ${ours} against ${theirs}, ratio ${result.ratio.toFixed(2)}`);
}

function save(report: BenchReport): string {
  const folder = fileURLToPath(new URL("../../results/bench", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${report.startedAt.replaceAll(":", "-")}.json`);
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  return path;
}

try {
  if (values.help === true) {
    console.log(USAGE);
  } else if (values.list === true) {
    for (const row of allRows) {
      console.log(`${row.id.padEnd(14)} ${row.title}, against ${row.theirs.label}`);
    }
  } else {
    const report = await runBench(chooseRows(), chooseSettings());
    const path = save(report);
    console.log(`\n${renderConditions(report)}\n\n${renderTable(report)}\n\nwritten to ${path}`);
  }
} catch (error) {
  if (!(error instanceof BenchError)) {
    throw error;
  }
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
