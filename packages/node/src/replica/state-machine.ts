/**
 * What the cluster agrees on: the keyspace, the users, the members, the sessions of the nodes that write to it, and their anchors. `apply` is the only way in.
 * It is deterministic: time and randomness come with the entry, and it does no I/O. The same entries give the same
 * state and the same replies on every node; the node that holds the clients is merely the one that keeps the replies.
 */
import type { UserTable, UserTableRecord, UsersChange } from "@ferrite/acl";
import {
  EntryKind,
  decodeConfiguration,
  type Configuration,
  type Entry,
  type Index,
  type NodeId,
} from "@ferrite/raft";
import { Keyspace, type KeyspaceApi } from "@ferrite/storage";
import { FEATURE_LEVEL_MAX } from "../members/feature-level.ts";
import { MembersTable } from "../members/members-table.ts";
import type { MembersSnapshot } from "../members/member-schema.ts";
import type { Member } from "../peers/membership.ts";
import type { KeyContext } from "../commands/command.ts";
import { SilentReply } from "../resp/encoder.ts";
import { Argv } from "../resp/argv.ts";
import type { Reply } from "../resp/reply.ts";
import { Anchors, type AnchorRecord } from "./anchors.ts";
import { BatchKind, BatchReader, NODE_ACTOR_ID, uuidText } from "./batch.ts";
import { canonicalJson } from "./canonical-json.ts";
import { readCommandRecord } from "./command-record.ts";
import { ReplicaError } from "./errors.ts";
import { InternalWrite, isInternalWrite, readInternalWrite } from "./internal-writes.ts";
import { MembersInApply, checkLevel } from "./members-in-apply.ts";
import { Sessions, type SessionVerdict } from "./sessions.ts";
import { applyUsersWrite, usersWriteKind, type UsersWriteKind } from "./users-writes.ts";
import { WriteCheck, type AccessPorts } from "./write-check.ts";
import type { WriteClient, WriteLookup } from "./write-path.ts";

/** How this node takes part in apply: it knows who waits for which batch. */
export interface ApplyListener {
  /** A batch of commands comes up. The clients that wait for it, in order, when it is this node's and runs now. */
  batch(reader: BatchReader, verdict: SessionVerdict): readonly WriteClient[] | null;
  /** A command threw: a defect of ours. It changed the same on every node and its client gets an error. */
  commandThrew(name: string, error: unknown): void;
  expired(count: number): void;
  /** The users have changed, just now: nothing behind it has run. */
  usersChanged(change: UsersChange, index: Index): void;
  /** A comparison of states begins here, or `origin` says what its state was (repair/state-checks.ts). */
  stateWrite?(words: readonly string[], origin: NodeId, index: Index): void;
  /** The members, their change, their configuration or the feature level have changed. */
  membersChanged(index: Index): void;
}

/** Of a snapshot: all of the state that is not in the keyspace's own records. */
export interface StateHeader {
  readonly sessions: ReturnType<Sessions["records"]>;
  readonly timeMs: number;
  readonly users: UserTableRecord;
  readonly anchors: readonly AnchorRecord[];
  /** Absent in what versions wrote that had none. */
  readonly members?: MembersSnapshot;
}

/** Small and fast, and the same everywhere: mulberry32, seeded per batch by the leader. */
class EntryRandom {
  #state = 0;

  seed(seed: number): void {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
}

class ApplyContext implements KeyContext {
  readonly argv: Argv = new Argv();
  readonly keyspace: KeyspaceApi;
  readonly entryRandom: EntryRandom = new EntryRandom();
  reply: Reply;
  nowMs = 0;

  constructor(keyspace: KeyspaceApi, reply: Reply) {
    this.keyspace = keyspace;
    this.reply = reply;
  }

  random(): number {
    return this.entryRandom.next();
  }
}

export interface StateMachineOptions {
  readonly commands: WriteLookup;
  /** Seeds the keyspace's hash; from the cluster id, so that SCAN cursors mean the same on every node. */
  readonly hashSeed: number;
  /** At index 0, before anything was applied. */
  readonly configuration: Configuration;
  /** Of the genesis. */
  readonly members: readonly Member[];
  readonly access: AccessPorts;
  /** The highest feature level that this node supports; what this version knows when it is left out. */
  readonly supportedLevel?: number;
}

export class StateMachine {
  readonly keyspace: Keyspace;
  readonly sessions: Sessions = new Sessions();
  readonly users: UserTable;
  readonly anchors: Anchors = new Anchors();
  readonly members: MembersTable;
  readonly supportedLevel: number;
  readonly #membership: MembersInApply;
  readonly #commands: WriteLookup;
  readonly #context: ApplyContext;
  readonly #silent: SilentReply = new SilentReply();
  readonly #reader: BatchReader = new BatchReader();
  readonly #check: WriteCheck;
  #configuration: Configuration;
  #appliedIndex = 0;
  #appliedTerm = 0;
  #timeMs = 0;

  constructor(options: StateMachineOptions) {
    this.keyspace = new Keyspace({ hashSeed: options.hashSeed });
    this.users = options.access.newUsers();
    this.members = new MembersTable(options.members);
    this.supportedLevel = options.supportedLevel ?? FEATURE_LEVEL_MAX;
    this.#membership = new MembersInApply(this);
    this.#check = new WriteCheck(this.users, options.access);
    this.#commands = options.commands;
    this.#configuration = options.configuration;
    this.#context = new ApplyContext(this.keyspace, this.#silent);
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get appliedTerm(): number {
    return this.#appliedTerm;
  }

  /** The configuration as of the applied index (the core's may be newer). */
  get configuration(): Configuration {
    return this.#configuration;
  }

  /** Time of the newest applied batch, in Unix ms. */
  get timeMs(): number {
    return this.#timeMs;
  }

  /**
   * Applies one entry. Returns how many records ran.
   * Throws ReplicaError when the entry is not readable: a newer format, or damage that no checksum saw.
   */
  apply(entry: Entry, listener: ApplyListener): number {
    if (entry.index !== this.#appliedIndex + 1) {
      throw new ReplicaError(
        "APPLY_ORDER",
        `entry ${entry.index} came after ${this.#appliedIndex}`,
      );
    }
    let records = 1;
    if (entry.kind === EntryKind.Normal) records = this.#applyBatch(entry, listener);
    else if (entry.kind === EntryKind.Configuration) {
      this.#configure(entry, listener);
    }
    this.#appliedIndex = entry.index;
    this.#appliedTerm = entry.term;
    return records;
  }

  header(): StateHeader {
    return {
      sessions: this.sessions.records(),
      timeMs: this.#timeMs,
      users: this.users.record(),
      anchors: this.anchors.records(),
      members: this.members.record(),
    };
  }

  /**
   * Takes over what a snapshot says besides the keyspace, which is restored on its own.
   * Throws ReplicaError BAD_SNAPSHOT when the users or members in it can not be read, or are of a later feature level.
   */
  restoreHeader(
    header: StateHeader,
    at: { readonly index: number; readonly term: number; readonly configuration: Configuration },
  ): void {
    readable("users", () => this.users.restore(header.users));
    readable("members", () => this.members.restore(header.members));
    const { level, levelVersion: version } = this.members;
    checkLevel({ level, version, supportedLevel: this.supportedLevel }, "BAD_SNAPSHOT");
    this.sessions.restore(header.sessions);
    this.anchors.restore(header.anchors);
    this.#timeMs = header.timeMs;
    this.#appliedIndex = at.index;
    this.#appliedTerm = at.term;
    this.#configuration = at.configuration;
  }

  /** Equal on all nodes at the same applied index. */
  stateHash(): string {
    return `${this.keyspace.stateHash()}-${this.restHash()}`;
  }

  /** What of the state hash is not in the keyspace. */
  restHash(): string {
    const small = canonicalJson([
      this.sessions.records(),
      this.anchors.records(),
      this.members.record(),
    ]);
    return `${this.#timeMs}-${this.users.stateHash()}-${small}`;
  }

  #applyBatch(entry: Entry, listener: ApplyListener): number {
    const reader = this.#reader;
    if (!reader.open(entry.data)) {
      throw new ReplicaError(
        "UNKNOWN_ENTRY",
        `entry ${entry.index} is in a format this version does not know; run the version that wrote it`,
      );
    }
    if (reader.timeMs > this.#timeMs) this.#timeMs = reader.timeMs;
    this.#context.nowMs = this.#timeMs;
    if (reader.kind === BatchKind.Expiry) return this.#applyExpiry(reader, listener);
    if (reader.kind === BatchKind.UserExpiry) return this.#expireUsers(entry.index, listener);
    if (reader.kind !== BatchKind.Commands) return this.#applyLeaders(entry.index, listener);
    const verdict = this.sessions.advance(reader.originKey, reader.incarnation, reader.sequence);
    const clients = listener.batch(reader, verdict);
    if (verdict !== "next") return 1;
    this.#context.entryRandom.seed(reader.seed);
    let position = 0;
    while (reader.next()) {
      const client = clients === null ? undefined : clients[position];
      position++;
      const reply = client === undefined ? this.#silent : client.replyForWrite();
      if (isInternalWrite(reader.buffer, reader.recordStart, reader.recordEnd)) {
        this.#runInternal(entry.index, reply, listener);
      } else {
        this.#runCommand(reply, listener, client);
      }
      client?.writeApplied(entry.index);
    }
    if (position !== reader.count) {
      throw unreadable(entry.index, `${position} of ${reader.count} records`);
    }
    return position;
  }

  #runCommand(reply: Reply, listener: ApplyListener, client: WriteClient | undefined): void {
    const reader = this.#reader;
    const context = this.#context;
    const argv = context.argv;
    if (!readCommandRecord(reader.buffer, reader.recordStart, reader.recordEnd, argv)) {
      reply.error("ERR Protocol error: the record is not a command");
      return;
    }
    const command = this.#commands.lookupWrite(argv);
    if (command === null) {
      // Only a peer of another version, or one that lies, can bring this into the log.
      reply.error("ERR unknown write command in the log");
      return;
    }
    const refusal = this.#check.refusal(reader, this.#timeMs, command, argv);
    if (refusal !== null) {
      client?.writeDenied?.(command, refusal);
      reply.error(refusal);
      return;
    }
    context.reply = reply;
    try {
      command.run(context);
    } catch (error) {
      // Running out of memory is this node's own trouble: going on would make it differ from the others.
      if (error instanceof RangeError) throw error;
      listener.commandThrew(command.name, error);
      reply.error("ERR internal error while the command ran");
    }
  }

  #runInternal(index: Index, reply: Reply, listener: ApplyListener): void {
    const words = readInternalWrite(this.#reader, this.#context.argv);
    if (words === null) return reply.error("ERR Protocol error: the record is not a write");
    const kind = usersWriteKind(words);
    if (kind !== undefined) return this.#changeUsers({ index, kind, words }, reply, listener);
    if (words[0] === InternalWrite.Members)
      return this.#changeMembers(index, words, reply, listener);
    if (isStateWrite(words) && this.#reader.recordUserId === NODE_ACTOR_ID) {
      listener.stateWrite?.(words, uuidText(this.#reader.originKey), index);
      return reply.ok();
    }
    if (words[0] !== InternalWrite.Anchor || this.#reader.recordUserId !== NODE_ACTOR_ID) {
      return reply.error("ERR unknown internal write in the log");
    }
    const error = this.anchors.apply(this.#reader.originKey, words, this.#configuration);
    return error === null ? reply.ok() : reply.error(error);
  }

  #changeUsers(
    write: {
      readonly index: Index;
      readonly kind: UsersWriteKind;
      readonly words: readonly string[];
    },
    reply: Reply,
    listener: ApplyListener,
  ): void {
    const refusal = this.#check.actorRefusal(this.#reader, this.#timeMs, write.kind);
    if (refusal !== null) return reply.error(refusal);
    const outcome = applyUsersWrite(this.users, write.kind, write.words, this.#timeMs);
    if (!outcome.ok) return reply.error(outcome.errorText);
    if (outcome.change !== null) listener.usersChanged(outcome.change, write.index);
    return reply.integer(outcome.count);
  }

  #changeMembers(
    index: Index,
    words: readonly string[],
    reply: Reply,
    listener: ApplyListener,
  ): void {
    const reader = this.#reader;
    const hasChanged = this.#membership.write(
      words,
      {
        origin: uuidText(reader.originKey),
        byNode: reader.recordUserId === NODE_ACTOR_ID,
        configuration: this.#configuration,
        timeMs: this.#timeMs,
        refusal: (command) => this.#check.commandRefusal(reader, this.#timeMs, command),
      },
      reply,
    );
    if (hasChanged) listener.membersChanged(index);
  }

  /** What a leader appends by itself, and no node takes from another: the level is raised, a change of members goes on. */
  #applyLeaders(index: Index, listener: ApplyListener): number {
    const reader = this.#reader;
    let records = 0;
    while (reader.next()) {
      records++;
      const words = readInternalWrite(reader, this.#context.argv);
      if (words === null) throw unreadable(index, "a record of the leader");
      if (reader.kind === BatchKind.Raise) this.#membership.raise(words);
      else this.#membership.lead(words, this.#configuration, this.#timeMs);
    }
    if (records !== reader.count) throw unreadable(index, `${records} of ${reader.count} records`);
    listener.membersChanged(index);
    return records;
  }

  #configure(entry: Entry, listener: ApplyListener): void {
    const before = this.#configuration;
    this.#configuration = decodeConfiguration(entry.data);
    this.anchors.keepMembers(this.#configuration);
    this.#membership.configured(before, this.#configuration);
    listener.membersChanged(entry.index);
  }

  /** Users whose time is up at the entry's time. */
  #expireUsers(index: Index, listener: ApplyListener): number {
    const outcome = this.users.expire(this.#timeMs);
    if (outcome.ok && outcome.change !== null) listener.usersChanged(outcome.change, index);
    return 1;
  }

  /** Removes keys that have expired at the entry's time: one that was written again meanwhile stays. */
  #applyExpiry(reader: BatchReader, listener: ApplyListener): number {
    const keyspace = this.keyspace;
    let removed = 0;
    let records = 0;
    while (reader.next()) {
      records++;
      if (keyspace.find(reader.buffer, reader.recordStart, reader.recordEnd, this.#timeMs) !== 0)
        continue;
      const before = keyspace.size;
      keyspace.remove(reader.buffer, reader.recordStart, reader.recordEnd, this.#timeMs);
      removed += before - keyspace.size;
    }
    if (removed > 0) listener.expired(removed);
    return records;
  }
}

/** @throws ReplicaError BAD_SNAPSHOT with what `restore` throws */
function readable(what: string, restore: () => void): void {
  try {
    restore();
  } catch (error) {
    const reason = (error as Error).message;
    throw new ReplicaError("BAD_SNAPSHOT", `the ${what} in the snapshot: ${reason}`, {
      cause: error,
    });
  }
}

function isStateWrite(words: readonly string[]): boolean {
  return words[0] === InternalWrite.CheckState || words[0] === InternalWrite.ReportState;
}

function unreadable(index: Index, what: string): ReplicaError {
  return new ReplicaError("UNKNOWN_ENTRY", `entry ${index} holds ${what} that can not be read`);
}
