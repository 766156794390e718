/** Runs programs that do not end by themselves. */
import { spawn } from "node:child_process";

const TIMEOUT_MS = 20_000;

/** Runs it until its output matches, ends it, and resolves to the output. Rejects when that takes too long. */
export function runForAWhile(
  program: string,
  options: { readonly words: readonly string[]; readonly until: RegExp },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, options.words, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    child.stdout.on("data", (bytes: Buffer) => {
      output += bytes.toString();
      if (options.until.test(output)) child.kill("SIGKILL");
    });
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(timer);
      if (options.until.test(output)) resolve(output);
      else reject(new Error(`${program} ${options.words.join(" ")} said only: ${output}`));
    });
  });
}
