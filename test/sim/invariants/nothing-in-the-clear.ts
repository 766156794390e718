/**
 * S40: nothing that clients wrote stands on the disk of a node that takes encrypted files only; what a file was before its last
 * sync counts, too. Looked at once, at the end of a run.
 */
import type { VirtualDisk } from "../world/virtual-disk.ts";

/** Tokens of clients and of users (oracle/history.ts), and what the workload fills its values with. */
const VALUES = /\d\.\d{5};|u\d{6};|x{16}/;

/** A damaged file from before encryption is kept as it is, for a person who looks what is left of it; its name says so. */
const QUARANTINED = /\.damaged-\d+$/;

/** A sentence for each file in which a value can be read. */
export function valuesInTheClear(node: string, disk: VirtualDisk): string[] {
  const problems = new Set<string>();
  for (const { path, bytes } of disk.traces()) {
    if (QUARANTINED.test(path)) continue;
    const found = VALUES.exec(bytes.toString("latin1"));
    if (found !== null) {
      problems.add(`nothing in the clear: ${path} of ${node} shows ${found[0]}`);
    }
  }
  return [...problems];
}
