/** What the state of its disk means for a node's office: one whose disk is full or hangs leads as little as possible. */
import type { Message, RaftCoreApi } from "@ferrite/raft";
import type { DiskWatch } from "./disk-watch.ts";
import { FullDiskOffice } from "./full-disk-office.ts";
import type { ReplicaEvents } from "./options.ts";
import { StalledDiskOffice, type StalledDiskOfficeOptions } from "./stalled-disk-office.ts";

export class DiskOffices {
  readonly #disk: DiskWatch;
  readonly #full: FullDiskOffice;
  readonly #stalled: StalledDiskOffice;

  constructor(disk: DiskWatch, options: StalledDiskOfficeOptions & { readonly core: RaftCoreApi }) {
    this.#disk = disk;
    this.#full = new FullDiskOffice(options.core);
    this.#stalled = new StalledDiskOffice(options);
  }

  /** Looks at the disk, before each tick, and tells when it has begun to hang or has answered again. */
  watch(nowMs: number, events: Pick<ReplicaEvents, "diskStalled">): void {
    const change = this.#disk.tick();
    if (change === "ended") this.#stalled.ended();
    if (change !== null) events.diskStalled(change === "begun");
    if (this.#disk.isStalled) this.#stalled.tick(nowMs);
  }

  /** May the core take note that time passes? */
  mayTick(): boolean {
    return !this.#disk.isStalled || this.#stalled.mayTick();
  }

  /** A message that would have this node take an office it can not fill. */
  isRefused(message: Message): boolean {
    return this.#disk.isStalled && this.#stalled.isRefused(message);
  }

  /** The disk is full: the office goes to another node, if this one has it. */
  leaveFull(nowMs: number): void {
    this.#full.leave(nowMs);
  }
}
