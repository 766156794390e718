import { spawn } from "node:child_process";

import { countVitest, type ResultFile, type StepResult } from "./results.ts";
import type { Step } from "./steps.ts";

const KILL_AFTER_MS = 10_000;

/**
 * Runs one step and counts it; what it prints is shown or dropped. A step that exceeds its time is asked to stop,
 * then killed, and counts as failed.
 */
export async function runStep(
  root: string,
  step: Step,
  results: ResultFile,
  options: { readonly abort: AbortSignal; readonly output: "inherit" | "ignore" },
): Promise<StepResult> {
  const startedMs = Date.now();
  const args = [...step.args];
  let reportFile = "";
  if (step.kind === "vitest") {
    reportFile = results.reportFile(step.name);
    args.push("--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`);
  }
  const exitCode = await runNode(root, args, { ...options, timeoutMs: step.timeoutMs });
  const durationMs = Date.now() - startedMs;
  const counts =
    step.kind === "vitest"
      ? countVitest(reportFile, exitCode)
      : {
          passed: exitCode === 0 ? 1 : 0,
          failed: exitCode === 0 ? 0 : 1,
          skipped: 0,
          failures: [],
        };
  return { name: step.name, ...counts, durationMs };
}

/** Resolves with the exit code; 1 if the program was ended by a signal or did not start. */
function runNode(
  root: string,
  args: readonly string[],
  options: {
    readonly abort: AbortSignal;
    readonly output: "inherit" | "ignore";
    readonly timeoutMs: number;
  },
): Promise<number> {
  const { abort, output, timeoutMs } = options;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", output, output] });
    let killTimer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      child.kill("SIGTERM");
      killTimer ??= setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
    };
    const timer = setTimeout(() => {
      if (output === "inherit") console.error(`exceeded ${timeoutMs / 1000} s and is stopped`);
      stop();
    }, timeoutMs);
    abort.addEventListener("abort", stop);
    const end = (code: number): void => {
      clearTimeout(timer);
      clearTimeout(killTimer);
      abort.removeEventListener("abort", stop);
      resolve(code);
    };
    child.on("error", (error) => {
      console.error(error.message);
      end(1);
    });
    child.on("close", (code) => end(code ?? 1));
  });
}
