/** Runs a program to its end and keeps what it said. */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const TIMEOUT_MS = 60_000;

export interface ProgramResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly output: string;
  readonly errorOutput: string;
}

export interface ProgramOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly input?: string;
}

/** A program that takes longer than a minute is ended, with exit code null. */
export function runProgram(
  program: string,
  words: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      cwd: options.directory,
      env: { PATH: process.env["PATH"] ?? "", ...options.environment },
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    let output = "";
    let errorOutput = "";
    child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
    child.stderr.on("data", (bytes: Buffer) => (errorOutput += bytes.toString()));
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, output, errorOutput }));
    // A program that ends without reading its input is judged by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

/** Where a program is in PATH, or null. */
export function findProgram(name: string): string | null {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return join(directory, name);
    } catch {
      // Not in this directory.
    }
  }
  return null;
}
