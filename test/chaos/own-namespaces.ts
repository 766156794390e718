/**
 * A mount namespace of the run's own, and with `--network namespaces` a network namespace: what is mounted and built there
 * is seen by nobody else, and gone when the last process of the run is, however it ends. A user who is not root becomes
 * root of a user namespace, where the machine allows that.
 */
import { spawnSync } from "node:child_process";
import { findProgram } from "../e2e/harness/program.ts";
import { ChaosError } from "./errors.ts";
import { missingForNamespaces } from "./network/namespace-network.ts";

/** Set inside. */
const INSIDE = "FERRITE_CHAOS_INSIDE";

/** Whether this process is in namespaces of its own. */
export function isInside(): boolean {
  return process.env[INSIDE] === "1";
}

/** Whether this user may make such namespaces here. */
export function isPossible(options: { readonly network: boolean }): boolean {
  const unshare = findProgram("unshare");
  if (unshare === null) return false;
  if (options.network && missingForNamespaces() !== null) return false;
  return spawnSync(unshare, [...wordsFor(options), "true"]).status === 0;
}

/** Replaces this process by the same program in namespaces of its own; returns when that is not possible here. */
export function moveInside(options: { readonly network: boolean }): void {
  if (!isPossible(options)) {
    if (!options.network) return;
    const why = missingForNamespaces() ?? "this user may not make them";
    throw new ChaosError("notPossible", `no network namespaces here: ${why}`);
  }
  const unshare = findProgram("unshare")!;
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const environment = { ...process.env, [INSIDE]: "1" };
  process.execve!(unshare, [unshare, ...wordsFor(options), ...program], environment);
}

function wordsFor({ network }: { readonly network: boolean }): string[] {
  const isRoot = process.getuid?.() === 0;
  return [
    ...(isRoot ? [] : ["--user", "--map-root-user"]),
    "--mount",
    "--propagation",
    "private",
    ...(network ? ["--net"] : []),
  ];
}
