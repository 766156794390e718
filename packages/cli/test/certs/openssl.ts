/** OpenSSL as somebody else's opinion of our certificates. Where it is missing its tests are skipped, but never in CI. */
import { spawnSync } from "node:child_process";

export const hasOpenssl: boolean = spawnSync("openssl", ["version"]).status === 0;
if (!hasOpenssl && process.env["CI"] === "true") {
  throw new Error("openssl is not installed, and CI must not skip what it verifies");
}

export interface OpensslAnswer {
  readonly status: number | null;
  /** Standard output and error together: which of them says what differs between versions. */
  readonly text: string;
}

export function openssl(...args: readonly string[]): OpensslAnswer {
  const { status, stdout, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  return { status, text: `${stdout}${stderr}` };
}
