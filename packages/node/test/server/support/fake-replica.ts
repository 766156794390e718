/**
 * A replica of one: writes wait until `commit` (or run at once when `autoCommit` is on), then run against a real
 * keyspace. What it says of itself can be set by a test.
 */
import type { NodeId, Role } from "@ferrite/raft";
import { Keyspace } from "@ferrite/storage";
import type { KeyContext, ReadCommand } from "../../../src/commands/command.ts";
import type { CommandTable } from "../../../src/commands/table.ts";
import { FakeStateChecks } from "./fake-state-checks.ts";
import type { DiskFacts } from "../../../src/replica/disk-facts.ts";
import type { AccessState, AuditAnchors } from "../../../src/replica/access-state.ts";
import type { MemberView, ReplicaView } from "../../../src/replica/replica-view.ts";
import type { WriteClient, WritePath } from "../../../src/replica/write-path.ts";
import type { Consistency } from "../../../src/commands/consistency-levels.ts";
import { Argv } from "../../../src/resp/argv.ts";
import { Decoder } from "../../../src/resp/decoder.ts";
import { LOG_LIMITS } from "../../../src/resp/limits.ts";
import type { Reply } from "../../../src/resp/reply.ts";
import { FakeLeadership } from "./fake-leadership.ts";
import { FakeMembership } from "./fake-membership.ts";

interface PendingWrite {
  readonly bytes: Buffer;
  readonly client: WriteClient;
}

export class FakeReplica implements WritePath, ReplicaView {
  readonly nodeId: NodeId = "0a1b2c3d-0000-4000-8000-00000000000a";
  readonly nodeName = "node-a";
  readonly clusterId = "ffffffff-0000-4000-8000-000000000001";
  readonly keyspace: Keyspace = new Keyspace({ hashSeed: 1 });
  readonly #table: CommandTable;
  readonly #decoder = new Decoder(LOG_LIMITS);
  readonly #argv = new Argv();

  autoCommit = true;
  refusal: string | null = null;
  staleness: string | null = null;
  roleNow: Role = "leader";
  nowMs = 1_700_000_000_000;
  copies = 0;
  index = 10;
  pending: PendingWrite[] = [];
  confirmations: ((errorText: string | null) => void)[] = [];
  waits: { index: number; wanted: number; timeoutMs: number; done: (count: number) => void }[] = [];
  waitsGivenUp = 0;
  readonly leadership: FakeLeadership = new FakeLeadership();
  readonly membership: FakeMembership = new FakeMembership();
  extraMembers: MemberView[] = [];
  /** Whether a read of this level needs no confirmation. */
  readsNow: (level: Consistency, boundMs: number) => boolean = () => false;
  /** Called when a write arrives. */
  onSubmit: () => void = () => undefined;
  /** Called after each apply round. */
  onRoundDone: () => void = () => undefined;

  constructor(table: CommandTable) {
    this.#table = table;
  }

  submit(buffer: Buffer, start: number, end: number, client: WriteClient): string | null {
    if (this.refusal !== null) return this.refusal;
    this.pending.push({ bytes: Buffer.from(buffer.subarray(start, end)), client });
    if (this.autoCommit) setImmediate(() => this.commit());
    this.onSubmit();
    return null;
  }

  /** Applies the oldest `count` writes in one round. */
  commit(count: number = this.pending.length): void {
    for (const write of this.pending.splice(0, count)) {
      const reply = write.client.replyForWrite();
      const argv = this.#argv;
      this.#decoder.decode(write.bytes, 0, write.bytes.length, argv);
      const command = this.#table.lookupWrite(argv);
      if (command === null) throw new Error("only writes are submitted");
      this.index++;
      command.run(this.#context(argv, reply));
      write.client.writeApplied(this.index);
    }
    this.onRoundDone();
  }

  /** The oldest `count` writes have no known outcome. */
  fail(errorText: string, count: number = this.pending.length): void {
    for (const write of this.pending.splice(0, count)) write.client.writeFailed(errorText);
    this.onRoundDone();
  }

  mayReadNow(level: Consistency, boundMs: number): boolean {
    return this.readsNow(level, boundMs);
  }

  confirmRead(done: (errorText: string | null) => void): void {
    this.confirmations.push(done);
  }

  confirm(errorText: string | null = null): void {
    for (const done of this.confirmations.splice(0)) done(errorText);
  }

  runRead(command: ReadCommand, argv: Argv, reply: Reply): void {
    command.run(this.#context(argv, reply));
  }

  readRefusal(): string | null {
    return this.staleness;
  }

  #context(argv: Argv, reply: Reply): KeyContext {
    return { argv, reply, keyspace: this.keyspace, nowMs: this.nowMs, random: () => 0 };
  }

  /** The server asks access control for the users (test-access.ts), not the replica. */
  get access(): AccessState {
    throw new Error("the users of a test are in TestAccess");
  }
  get anchors(): AuditAnchors {
    throw new Error("a test without a cluster anchors nothing");
  }
  role(): Role {
    return this.roleNow;
  }
  term(): number {
    return 3;
  }
  leaderId(): NodeId | null {
    return this.members().find((member) => member.isLeader)?.id ?? null;
  }
  commitIndex(): number {
    return this.index;
  }
  appliedIndex(): number {
    return this.index;
  }
  lastIndex(): number {
    return this.index + this.pending.length;
  }
  firstIndex(): number {
    return 5;
  }
  snapshotIndex(): number {
    return 4;
  }
  logBytes(): number {
    return 4096;
  }
  members(): readonly MemberView[] {
    const self: MemberView = {
      id: this.nodeId,
      name: this.nodeName,
      peerAddress: "127.0.0.1:16379",
      clientAddress: "127.0.0.1:6379",
      learner: false,
      isSelf: true,
      isLeader: this.roleNow === "leader",
      connected: true,
      matchIndex: this.index,
    };
    return [self, ...this.extraMembers];
  }
  snapshotInProgress(): boolean {
    return false;
  }
  snapshotBytesSent(): number {
    return 4096;
  }
  logicalNowMs(): number {
    return this.nowMs;
  }
  isCatchingUp(): boolean {
    return false;
  }
  readonly checks: FakeStateChecks = new FakeStateChecks();

  disk(): DiskFacts {
    return { stalledMs: null, stalls: 0, damages: 0, missingUpTo: null };
  }

  leaderSilenceMs(): number {
    return this.roleNow === "leader" ? 0 : 1500;
  }
  writeRefusal(): string | null {
    return this.refusal;
  }

  waitForCopies(
    request: { readonly index: number; readonly wanted: number; readonly timeoutMs: number },
    done: (count: number) => void,
  ): () => void {
    if (request.wanted <= this.copies) {
      done(this.copies);
      return () => undefined;
    }
    const waiting = { ...request, done };
    this.waits.push(waiting);
    return () => {
      this.waitsGivenUp++;
      this.waits = this.waits.filter((one) => one !== waiting);
    };
  }
}
