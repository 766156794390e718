import { spawnSync } from "node:child_process";

/**
 * The first line that `command --version` prints, or null if the program is not installed.
 */
export function versionOf(command: string): string | null {
  const result = spawnSync(command, ["--version"], { encoding: "utf8", timeout: 10_000 });
  if (result.error !== undefined || result.status !== 0) {
    return null;
  }
  return result.stdout.split("\n")[0].trim();
}
