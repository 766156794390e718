/** One program at a time writes what an authority has issued: a revocation that gets lost would be a hole. */
import { open, readFile, rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { CertificateError } from "./errors.ts";

/** How long is waited for another program: signing takes milliseconds, RSA keys a few seconds. */
export const LOCK_TIMEOUT_MS = 20_000;
const POLL_INTERVAL_MS = 20;

/**
 * Does `work` while nobody else holds the lock. The lock is a file with the number of the process, so that one which was
 * left behind by a crash is told apart; removing it is left to a person.
 * @throws CertificateError busy, fileSystem
 */
export async function withLock<T>(
  lockFile: string,
  work: () => Promise<T>,
  timeoutMs: number = LOCK_TIMEOUT_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  while (!(await take(lockFile))) {
    const holder = await holderOf(lockFile);
    const isGone = holder !== null && !isAlive(holder);
    if (isGone || performance.now() >= deadline) throw busy(lockFile, holder, isGone);
    await pause(POLL_INTERVAL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function take(lockFile: string): Promise<boolean> {
  try {
    const file = await open(lockFile, "wx", 0o600);
    try {
      await file.writeFile(`${process.pid}\n`);
    } finally {
      await file.close();
    }
    return true;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw new CertificateError("fileSystem", `${lockFile} can not be written: ${message}`, {
      cause,
    });
  }
}

/** Null while the other one has not written its number yet, or has just gone. */
async function holderOf(lockFile: string): Promise<number | null> {
  const text = await readFile(lockFile, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  });
  return /^\d+\n$/.test(text) ? Number(text) : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and is somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function busy(lockFile: string, holder: number | null, isGone: boolean): CertificateError {
  const who = holder === null ? "Another program" : `Process ${holder}`;
  const state = isGone ? "left its lock behind and no longer runs" : "works in this directory";
  const cure = isGone ? "Remove" : "Wait for it, or when it does not run on any machine remove";
  return new CertificateError("busy", `${who} ${state}. ${cure} ${lockFile}.`);
}
