/**
 * Which process has opened a TCP connection to this one. All nodes dial the address that a node announces, so that only
 * the system can tell a proxy there whose connection it has. Linux tells by /proc:
 *
 *   /proc/net/tcp        "  7: 0100007F:C350 0100007F:5BA0 01 ... <inode>": who talks to whom, as sockets
 *   /proc/<pid>/fd/*     links to "socket:[<inode>]"
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const LOCAL_COLUMN = 1;
const REMOTE_COLUMN = 2;
const INODE_COLUMN = 9;

/** One of `pids`, or null when none of them has it (any more). */
export function dialingProcess(
  connection: { readonly dialerPort: number; readonly listenerPort: number },
  pids: readonly number[],
): number | null {
  const inode = inodeOf(readFileSync("/proc/net/tcp", "utf8"), connection);
  if (inode === null) return null;
  return pids.find((pid) => holds(pid, `socket:[${inode}]`)) ?? null;
}

function inodeOf(
  table: string,
  { dialerPort, listenerPort }: { readonly dialerPort: number; readonly listenerPort: number },
): string | null {
  for (const line of table.split("\n").slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (portIn(columns[LOCAL_COLUMN]) !== dialerPort) continue;
    if (portIn(columns[REMOTE_COLUMN]) === listenerPort) return columns[INODE_COLUMN];
  }
  return null;
}

/** The port of "0100007F:C350". */
function portIn(endpoint: string | undefined): number {
  return Number.parseInt(endpoint?.split(":")[1] ?? "", 16);
}

function holds(pid: number, socket: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
      return targetOf(`/proc/${pid}/fd/${descriptor}`) === socket;
    });
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function targetOf(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** The process ended, or closed the file, while we looked. */
function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ESRCH" || code === "EACCES";
}
