import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** How one step came out. */
export interface StepResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly durationMs: number;
}

/** The part of vitest's JSON report that we read. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

/**
 * Counts a vitest run. A run can fail without a failed test (a file that does not load, an
 * unhandled rejection, no test found, a crash before the report was written): that counts as one
 * failure, never as none.
 */
export function countVitest(
  reportFile: string,
  exitCode: number,
): Omit<StepResult, "name" | "durationMs"> {
  const report = readReport(reportFile);
  const passed = report?.numPassedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  let failed = report?.numFailedTests ?? 0;
  if (failed === 0 && (exitCode !== 0 || passed === 0)) {
    failed = 1;
  }
  return { passed, failed, skipped };
}

function readReport(file: string): VitestReport | null {
  if (!existsSync(file)) {
    return null;
  }
  try {
    return JSON.parse(readFileSync(file, "utf8")) as VitestReport;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return null;
    }
    throw error;
  }
}

/** The results of the steps run so far, kept in a file so that a second run can add to them. */
export class ResultFile {
  readonly #path: string;
  readonly #results: StepResult[];

  constructor(root: string, keepEarlier: boolean) {
    this.#path = join(root, "results", "tests", "summary.json");
    if (!keepEarlier) {
      rmSync(this.#path, { force: true });
    }
    this.#results = existsSync(this.#path) ? JSON.parse(readFileSync(this.#path, "utf8")) : [];
    mkdirSync(dirname(this.#path), { recursive: true });
  }

  /** Where a vitest run writes its report. */
  reportFile(name: string): string {
    const path = join(dirname(this.#path), `${name}.json`);
    rmSync(path, { force: true });
    return path;
  }

  add(result: StepResult): void {
    this.#results.push(result);
    writeFileSync(this.#path, `${JSON.stringify(this.#results, null, 2)}\n`);
  }

  all(): readonly StepResult[] {
    return this.#results;
  }
}

/** One line per step and the line that programs read: `N passed, N failed`. */
export function describeResults(results: readonly StepResult[]): string {
  const width = Math.max(0, ...results.map((result) => result.name.length));
  const lines = results.map((result) => {
    const counts = `${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`;
    const seconds = (result.durationMs / 1000).toFixed(1);
    const mark = result.failed > 0 ? "FAIL" : "ok";
    return `  ${mark.padEnd(4)}  ${result.name.padEnd(width)}  ${counts}, ${seconds} s`;
  });
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  return [...lines, `${passed} passed, ${failed} failed`].join("\n");
}
