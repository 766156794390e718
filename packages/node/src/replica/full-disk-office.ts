/**
 * A leader whose disk is full can append nothing, and so stops the writes of all nodes. One of the others may have room.
 * When none has, leadership goes around slowly until somebody makes room.
 */
import type { RaftCoreApi } from "@ferrite/raft";

/** Such a leader looks this often for another node to lead. */
const RETRY_MS = 1000;

export class FullDiskOffice {
  readonly #core: RaftCoreApi;
  #notBeforeMs = 0;

  constructor(core: RaftCoreApi) {
    this.#core = core;
  }

  /** Tries to hand over, if this node leads and has not tried just now. */
  leave(nowMs: number): void {
    if (nowMs < this.#notBeforeMs || this.#core.role() !== "leader") return;
    this.#notBeforeMs = nowMs + RETRY_MS;
    this.#core.transferLeadership();
  }
}
