/** Carries out what the driver of a change says, on the leader: one step, and the next when that one is applied here. */
import {
  encodeConfiguration,
  EntryKind,
  type Index,
  type NodeId,
  type RaftCoreApi,
  type Term,
} from "@ferrite/raft";
import { BatchKind } from "../replica/batch.ts";
import { encodeInternalWrite, InternalWrite } from "../replica/internal-writes.ts";
import type { DriverStep } from "./driver-view.ts";
import { MemberDriver } from "./member-driver.ts";
import { memberWriteText, type LeaderMemberWrite } from "./member-writes.ts";
import type { MembersTable } from "./members-table.ts";

/** How often the leader looks whether there is something to do. */
const LOOK_MS = 50;

export interface LeaderDeskPorts {
  readonly core: RaftCoreApi;
  readonly electionTimeoutMs: number;
  /** The feature level this node supports, and the version that it runs. */
  readonly supportedLevel: number;
  readonly version: string;
  table(): MembersTable;
  appliedIndex(): Index;
  monotonicMs(): number;
  /** The cluster's time, Unix ms. */
  timeMs(): number;
  connected(peer: NodeId): boolean;
  featureLevelOf(peer: NodeId): number | null;
  /** Appends an entry of the leader's own; its index, or null when it can not be appended now. */
  append(kind: typeof BatchKind.Raise | typeof BatchKind.Leader, record: Buffer): Index | null;
}

export class LeaderDesk {
  readonly #ports: LeaderDeskPorts;
  readonly #driver: MemberDriver = new MemberDriver();
  #term: Term = 0;
  /** Nothing is done before this is applied: it decides what is to be done. */
  #awaited: Index = 0;
  #nextLookMs = 0;

  constructor(ports: LeaderDeskPorts) {
    this.#ports = ports;
  }

  /** Leader only, once a tick. */
  tick(): void {
    const { core } = this.#ports;
    const nowMs = this.#ports.monotonicMs();
    if (core.term() !== this.#term) this.#takeOffice();
    if (nowMs < this.#nextLookMs || this.#ports.appliedIndex() < this.#awaited) return;
    this.#nextLookMs = nowMs + LOOK_MS;
    const step = this.#driver.next({
      members: this.#ports.table(),
      status: core.status(),
      monotonicMs: nowMs,
      timeMs: this.#ports.timeMs(),
      electionTimeoutMs: this.#ports.electionTimeoutMs,
      supportedLevel: this.#ports.supportedLevel,
      connected: (id) => this.#ports.connected(id),
      levelOf: (id) => this.#ports.featureLevelOf(id),
    });
    if (step !== null) this.#take(step);
  }

  /** Besides the driver's steps. False when it can not be appended now. */
  write(write: LeaderMemberWrite): boolean {
    if (this.#ports.core.role() !== "leader") return false;
    const record = encodeInternalWrite(InternalWrite.LeadMembers, [memberWriteText(write)]);
    return this.#ports.append(BatchKind.Leader, record) !== null;
  }

  /** What earlier leaders have begun comes first, and all of it: its own first entry ends it. */
  #takeOffice(): void {
    this.#term = this.#ports.core.term();
    this.#awaited = this.#ports.core.lastIndex();
    this.#driver.forget();
  }

  #take(step: DriverStep): void {
    const { core } = this.#ports;
    switch (step.step) {
      case "handOver":
        core.transferLeadership();
        return;
      case "configure": {
        // Refused while another one is not committed yet: the driver says it again.
        const bytes = encodeConfiguration(step.configuration);
        const result = core.propose(bytes, EntryKind.Configuration);
        this.#await(result.accepted ? result.index : null);
        return;
      }
      case "raise":
        this.#append(BatchKind.Raise, InternalWrite.RaiseLevel, [
          String(step.level),
          this.#ports.version,
        ]);
        return;
      default:
        this.#append(BatchKind.Leader, InternalWrite.LeadMembers, [memberWriteText(step.write)]);
    }
  }

  #append(
    kind: typeof BatchKind.Raise | typeof BatchKind.Leader,
    name: InternalWrite,
    words: readonly string[],
  ): void {
    this.#await(this.#ports.append(kind, encodeInternalWrite(name, words)));
  }

  #await(index: Index | null): void {
    if (index !== null) this.#awaited = index;
  }
}
