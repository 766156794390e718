/**
 * The membership's part of apply: what an entry says of members goes to the table, and whoever is removed by it loses its
 * session and its anchor on every node at the same log position. Deterministic, with the entry's time.
 */
import type { Configuration, NodeId } from "@ferrite/raft";
import { MEMBER_WRITES_LEVEL } from "../members/feature-level.ts";
import type { MembersTable } from "../members/members-table.ts";
import {
  commandOf,
  readLeaderWrite,
  readMemberWrite,
  type MemberWrite,
} from "../members/member-writes.ts";
import type { Reply } from "../resp/reply.ts";
import { uuidBytes } from "./batch.ts";
import { ReplicaError } from "./errors.ts";
import { InternalWrite } from "./internal-writes.ts";
import type { Anchors } from "./anchors.ts";
import type { Sessions } from "./sessions.ts";

export interface MembersInApplyParts {
  readonly members: MembersTable;
  readonly sessions: Sessions;
  readonly anchors: Anchors;
  /** The highest feature level that this version knows. */
  readonly supportedLevel: number;
}

/** Where a write stands. */
export interface MemberWritePlace {
  /** The node from which it came. */
  readonly origin: NodeId;
  /** Written by the node itself, for nobody. */
  readonly byNode: boolean;
  readonly configuration: Configuration;
  readonly timeMs: number;
  /** Null when the user for whom it is may give this command, else the error. */
  refusal(command: string): string | null;
}

export class MembersInApply {
  readonly #parts: MembersInApplyParts;

  constructor(parts: MembersInApplyParts) {
    this.#parts = parts;
  }

  /** A write of any node. The answer to a change that is taken is its number. Returns whether anything has changed. */
  write(words: readonly string[], place: MemberWritePlace, reply: Reply): boolean {
    const { members } = this.#parts;
    const write = readMemberWrite(words[1] ?? "");
    if (write === null) {
      reply.error("ERR this is no write of the membership");
      return false;
    }
    if (members.level < MEMBER_WRITES_LEVEL) {
      reply.error(
        `REFUSED the cluster is at feature level ${members.level}, changes of members need ${MEMBER_WRITES_LEVEL}: ` +
          "it is reached when every member runs a version that supports it and is connected to the leader",
      );
      return false;
    }
    const outcome = this.#run(write, place);
    if (typeof outcome === "string") reply.error(outcome);
    else reply.integer(outcome);
    return typeof outcome !== "string";
  }

  /** An error text, or the number of the change. */
  #run(write: MemberWrite, place: MemberWritePlace): string | number {
    const { members } = this.#parts;
    const { origin, timeMs } = place;
    if (write.write === "announce" || write.write === "join") {
      if (!place.byNode) return "NOPERM only a node itself may write this";
      const error =
        write.write === "announce"
          ? members.announce(origin, write)
          : members.join(origin, write, timeMs);
      return error ?? 0;
    }
    const refusal = place.refusal(commandOf(write));
    if (refusal !== null) return refusal;
    if (write.write === "priority") return members.prioritize(write.name, write.priority) ?? 0;
    const outcome =
      write.write === "cancel" ? members.cancel() : members.ask(write, place.configuration, timeMs);
    return outcome.ok ? outcome.changeId : outcome.errorText;
  }

  /** A write of the leader. */
  lead(words: readonly string[], configuration: Configuration, timeMs: number): void {
    const { members } = this.#parts;
    if (words[0] !== InternalWrite.LeadMembers) throw unknownWrite(words[0]);
    const write = readLeaderWrite(words[1] ?? "");
    if (write === null) throw unknownWrite(words[1]);
    // Nothing else of this level can come before the entry that raises the cluster to it.
    if (members.level < MEMBER_WRITES_LEVEL) return;
    this.#depart(members.lead(write, configuration, timeMs));
  }

  /**
   * The cluster reaches another feature level (O13).
   * @throws ReplicaError UNKNOWN_ENTRY when this version does not know it: what follows can mean anything
   */
  raise(words: readonly string[]): void {
    const { members, supportedLevel } = this.#parts;
    const [name, levelText = "", version = ""] = words;
    const level = Number(levelText);
    if (name !== InternalWrite.RaiseLevel || !Number.isSafeInteger(level) || level < 1) {
      throw unknownWrite(words.join(" "));
    }
    checkLevel({ level, version, supportedLevel }, "UNKNOWN_ENTRY");
    members.raise(level, version);
  }

  /** A configuration entry. */
  configured(before: Configuration, now: Configuration): void {
    this.#depart(this.#parts.members.configured(before, now));
  }

  #depart(departures: {
    readonly removed: readonly NodeId[];
    readonly forgotten: readonly NodeId[];
  }): void {
    const { sessions, anchors } = this.#parts;
    for (const id of departures.removed) {
      sessions.end(originKey(id));
      anchors.forget(id);
    }
    for (const id of departures.forgotten) sessions.forget(originKey(id));
  }
}

/** @throws ReplicaError with `code` when this version does not know the level, naming the one that does */
export function checkLevel(
  reached: { readonly level: number; readonly version: string; readonly supportedLevel: number },
  code: "UNKNOWN_ENTRY" | "BAD_SNAPSHOT",
): void {
  const { level, version, supportedLevel } = reached;
  if (level <= supportedLevel) return;
  throw new ReplicaError(
    code,
    `the cluster is at feature level ${level}, this version knows levels up to ${supportedLevel}; run version ` +
      `${version === "" ? "that raised it" : version} or later on this node`,
  );
}

function originKey(id: NodeId): string {
  return uuidBytes(id).toString("latin1");
}

function unknownWrite(what: string | undefined): ReplicaError {
  return new ReplicaError(
    "UNKNOWN_ENTRY",
    `the leader wrote "${(what ?? "").slice(0, 100)}", which this version does not know; run the version that wrote it`,
  );
}
