import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** How one step came out. */
export interface StepResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly durationMs: number;
  /** What failed: the test and the first lines of why. Repeated at the very end, where people look. */
  readonly failures: readonly string[];
}

/** The part of vitest's JSON report that we read. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** So much of why a test failed is repeated. */
const FAILURE_LINES_MAX = 8;
const FAILURES_SHOWN_MAX = 10;

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
  return { passed, failed, skipped, failures: report === null ? [] : describeFailures(report) };
}

function describeFailures(report: VitestReport): string[] {
  const failures = report.testResults.flatMap(({ name, message = "", assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === "failed");
    if (failed.length === 0 && message !== "") return [firstLines(`${name}: ${message}`)];
    return failed.map(({ fullName, failureMessages = [] }) =>
      firstLines(`${name}: ${fullName}\n${failureMessages.join("\n")}`),
    );
  });
  return failures.slice(0, FAILURES_SHOWN_MAX);
}

function firstLines(text: string): string {
  return text.split("\n").slice(0, FAILURE_LINES_MAX).join("\n");
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
    const line = `  ${mark.padEnd(4)}  ${result.name.padEnd(width)}  ${counts}, ${seconds} s`;
    const details = result.failures.map((text) => text.replaceAll(/^/gm, "        "));
    return [line, ...details].join("\n");
  });
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  return [...lines, `${passed} passed, ${failed} failed`].join("\n");
}
