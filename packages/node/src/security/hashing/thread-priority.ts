/**
 * Gives way to the other threads of the process. Node sets priorities of processes only, but on Linux a thread is what
 * the kernel schedules, and its id is taken where a process id is.
 */
import { readlinkSync } from "node:fs";
import { constants, setPriority } from "node:os";

/** Lowers the calling thread to where it runs when nobody else wants the core. Null, or why it could not. */
export function lowerThreadPriority(): string | null {
  if (process.platform !== "linux") return `not possible on ${process.platform}`;
  try {
    // "<process id>/task/<thread id>"; a symbolic link that each thread reads differently.
    const threadId = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    if (!Number.isSafeInteger(threadId) || threadId <= 0) return "the thread's id is not known";
    setPriority(threadId, constants.priority.PRIORITY_LOW);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
