/**
 * The membership as one node sees it, and how it is changed from here: writes go into the log like any others, and on the
 * leader the driver takes its next step whenever the last one has come through.
 */
import type { Configuration, Index, NodeId } from "@ferrite/raft";
import { NODE_ACTOR_ID } from "../replica/batch.ts";
import { InternalClient } from "../replica/internal-client.ts";
import { encodeInternalWrite, InternalWrite } from "../replica/internal-writes.ts";
import type { WriteClient } from "../replica/write-path.ts";
import { FERRITE_VERSION } from "../server/version.ts";
import { ChangeFollowers } from "./change-followers.ts";
import { LeaderDesk, type LeaderDeskPorts } from "./leader-desk.ts";
import { MEMBER_WRITES_LEVEL } from "./feature-level.ts";
import type { MemberAlarm, MemberChange } from "./member-record.ts";
import { memberWriteText, type AlarmWrite, type MemberWrite } from "./member-writes.ts";
import type { MembersTable } from "./members-table.ts";
import type { MemberOutcome, MembershipControl, MemberStatus } from "./membership-ports.ts";

/** The part of the state machine that is about members. */
export interface MembersState {
  readonly members: MembersTable;
  readonly configuration: Configuration;
  readonly appliedIndex: Index;
  readonly supportedLevel: number;
}

export interface ReplicatedMembersPorts extends Pick<
  LeaderDeskPorts,
  | "core"
  | "electionTimeoutMs"
  | "monotonicMs"
  | "timeMs"
  | "connected"
  | "featureLevelOf"
  | "append"
> {
  readonly nodeId: NodeId;
  /** As of what this node has applied. Another one once a snapshot was installed. */
  machine(): MembersState;
  /** Takes an internal write; an error text when it can not be taken. */
  submit(bytes: Buffer, userId: number, client: WriteClient): string | null;
}

export class ReplicatedMembers implements MembershipControl {
  readonly #ports: ReplicatedMembersPorts;
  readonly #desk: LeaderDesk;
  readonly #followers: ChangeFollowers = new ChangeFollowers();
  readonly #listeners: Set<() => void> = new Set();

  constructor(ports: ReplicatedMembersPorts) {
    this.#ports = ports;
    this.#desk = new LeaderDesk({
      ...ports,
      supportedLevel: ports.machine().supportedLevel,
      version: FERRITE_VERSION,
      table: () => this.table,
      appliedIndex: () => ports.machine().appliedIndex,
    });
    this.#followers.saw(this.table.change);
    this.#tellPriorities();
  }

  get table(): MembersTable {
    return this.#ports.machine().members;
  }

  // ---- What there is ----------------------------------------------------------------------------------------

  all(): readonly MemberStatus[] {
    const { core, nodeId } = this.#ports;
    const { progress, leader, role, durableIndex } = core.status();
    const configuration = this.#ports.machine().configuration;
    const leads = role === "leader";
    return this.table.all().map(({ record }): MemberStatus => {
      const isSelf = record.id === nodeId;
      const matchIndex = isSelf ? durableIndex : (progress.get(record.id)?.matchIndex ?? 0);
      return {
        ...record,
        role: this.table.roleOf(record.id, configuration),
        isLeader: record.id === leader,
        isConnected: isSelf || this.#ports.connected(record.id),
        matchIndex: leads ? matchIndex : null,
      };
    });
  }

  change(): MemberChange | null {
    return this.table.change;
  }

  featureLevel(): number {
    return this.table.level;
  }

  alarms(): readonly MemberAlarm[] {
    return this.table.alarms();
  }

  goalIndex(): Index | null {
    const { core } = this.#ports;
    return core.role() === "leader" ? core.lastIndex() : null;
  }

  // ---- Changes ----------------------------------------------------------------------------------------------

  propose(
    write: MemberWrite,
    actorId: number | null,
    done: (outcome: MemberOutcome) => void,
  ): void {
    const client = new InternalClient((outcome) =>
      done(outcome.ok ? { ok: true, changeId: outcome.count } : outcome),
    );
    const bytes = encodeInternalWrite(InternalWrite.Members, [memberWriteText(write)]);
    const errorText = this.#ports.submit(bytes, actorId ?? NODE_ACTOR_ID, client);
    if (errorText !== null) done({ ok: false, errorText });
  }

  follow(
    request: {
      readonly changeId: number;
      readonly until: "accepted" | "over";
      readonly timeoutMs: number;
    },
    done: (change: MemberChange | null) => void,
  ): () => void {
    const { changeId, until, timeoutMs } = request;
    const deadlineMs = this.#ports.monotonicMs() + timeoutMs;
    return this.#followers.add({ changeId, until, deadlineMs, done });
  }

  /**
   * Told when an entry or a snapshot has changed members, configuration, change or level; also while the log is applied anew
   * after a start. Returns the function that ends it.
   */
  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  // ---- From the replica -------------------------------------------------------------------------------------

  changed(): void {
    this.#followers.saw(this.table.change);
    this.#tellPriorities();
    for (const listener of this.#listeners) listener();
  }

  /** The core hands over and campaigns by them. */
  #tellPriorities(): void {
    const priorities = this.table.all().map(({ record }) => [record.id, record.priority] as const);
    this.#ports.core.setPriorities(new Map(priorities));
  }

  /** Leader only, once a tick, as long as it may append. */
  lead(): void {
    this.#desk.tick();
  }

  /**
   * Leader only: raises an alarm about a member, or ends it (`text` null). False when it can not be written now: to be said
   * again.
   */
  alarm(alarm: Omit<AlarmWrite, "write">): boolean {
    return (
      this.table.level >= MEMBER_WRITES_LEVEL && this.#desk.write({ write: "alarm", ...alarm })
    );
  }

  tick(): void {
    this.#followers.tick(this.#ports.monotonicMs());
  }

  stop(): void {
    this.#followers.stop();
  }
}
