/** What the lives of a simulated node are made of beside the replica. */
import { StateMachine, type ApplyListener } from "@ferrite/node/simulation";
import type { Entry } from "@ferrite/raft";
import { StorageError, writeFileDurably } from "@ferrite/storage";
import type { VirtualDisk } from "./virtual-disk.ts";

/** What the virtual disk was told to do, as opposed to what is wrong with the node. */
export function isDiskFault(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EIO" || code === "ENOSPC") return true;
  }
  return false;
}

/** Bytes that were durable are not what was written. */
export function isDamage(error: unknown): boolean {
  return error instanceof StorageError && error.code === "damaged";
}

/** Tells the invariants what is applied. */
export class ObservedMachine extends StateMachine {
  onApply: (entry: Entry) => void = () => {};

  override apply(entry: Entry, listener: ApplyListener): number {
    const records = super.apply(entry, listener);
    this.onApply(entry);
    return records;
  }
}

/** Of how many lives this disk knows; the next one is counted durably. Throws what the disk says. */
export function nextIncarnation(disk: VirtualDisk, directory: string): number {
  const path = `${directory}/incarnation`;
  let last = 0;
  if (disk.exists(path)) {
    const bytes = Buffer.alloc(32);
    const handle = disk.open(path, "read");
    last = Number(bytes.toString("utf8", 0, handle.read(bytes, 0)));
    handle.close();
  }
  writeFileDurably(disk, path, Buffer.from(String(last + 1)));
  return (last + 1) * 65_536;
}
