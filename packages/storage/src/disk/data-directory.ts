/**
 * One process per data directory. The lock is a file that names its owner: the process id and, where the system tells
 * (Linux), when that process started and in which boot, so that a process id that was used again is not taken for the
 * owner. A lock whose owner is gone is taken over.
 *
 * It guards against starting a node twice on one machine. It can not see processes in another container or machine
 * that mount the same directory.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { StorageError, systemErrorCode } from "./errors.ts";

const lockFileName = "lock";
/** A lock file has one short line. */
const lockBytesMax = 1024;
/** How often a lock that changes hands is looked at again. */
const attemptsMax = 10;

export interface DataDirectoryLock {
  release(): void;
}

/**
 * Makes the directory (mode 0700) when it is not there, and takes its lock. The mode of one that is there is left alone:
 * it may be shared, and the files in it are 0600.
 *
 * Throws `directoryLocked`, naming the owner, when a living process holds it.
 */
export function lockDataDirectory(directory: string): DataDirectoryLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = `${directory}/${lockFileName}`;
  const mine = describeProcess(process.pid);
  const temporaryPath = `${path}.${process.pid}.tmp`;
  writeFileSync(temporaryPath, mine, { mode: 0o600 });
  try {
    takeLock(path, temporaryPath);
  } finally {
    unlinkSync(temporaryPath);
  }
  return {
    release: () => {
      // After a take-over by mistake the file may be another's.
      if (readLock(path) === mine) {
        unlinkSync(path);
      }
    },
  };
}

/** A hard link appears with its contents or not at all, and fails when the name is taken. */
function takeLock(path: string, temporaryPath: string): void {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    try {
      linkSync(temporaryPath, path);
      return;
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") {
        throw error;
      }
    }
    const owner = readLock(path);
    if (owner !== null) {
      if (isAlive(owner)) {
        throw new StorageError(
          "directoryLocked",
          `The data directory is used by process ${owner.split(" ")[0]} (lock file ${path}). Stop that process or use ` +
            `another data directory`,
        );
      }
      moveStaleLock(path, { owner, aside: `${path}.${process.pid}.stale` });
    }
  }
  throw new StorageError("directoryLocked", `The lock file ${path} keeps changing hands`);
}

/** Two processes may find the same stale lock: what was moved away is looked at again, and put back if it is new. */
function moveStaleLock(
  path: string,
  stale: { readonly owner: string; readonly aside: string },
): void {
  try {
    renameSync(path, stale.aside);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") {
      return;
    }
    throw error;
  }
  if (readLock(stale.aside) !== stale.owner) {
    linkSync(stale.aside, path);
  }
  unlinkSync(stale.aside);
}

/** The owner's line, or null when there is no lock. */
function readLock(path: string): string | null {
  try {
    return readFileSync(path, "utf8").slice(0, lockBytesMax);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") {
      return null;
    }
    throw error;
  }
}

/** Locks held by this process are alive too: a second node in one process is a second node. */
function isAlive(owner: string): boolean {
  const pid = Number(owner.split(" ")[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) {
    return false;
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemErrorCode(error) === "ESRCH") {
      return false;
    }
    if (systemErrorCode(error) !== "EPERM") {
      throw error;
    }
  }
  return describeProcess(pid) === owner;
}

/** `<pid> <start time in ticks> <boot id>`; without /proc only the process id. */
function describeProcess(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name, in brackets, may hold anything: fields are counted from behind it. The start time is the 22nd.
    const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${pid} ${startTime} ${bootId}`;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") {
      return String(pid);
    }
    throw error;
  }
}
