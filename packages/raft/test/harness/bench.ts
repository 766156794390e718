/**
 * One core on a bench: messages are put in by hand and everything that comes out is collected. Writes are durable at
 * once unless a test holds them back.
 */
import { RaftCore } from "../../src/index.ts";
import type {
  AppendRequest,
  AppendResponse,
  Entry,
  HardState,
  Heartbeat,
  HeartbeatResponse,
  Message,
  ReadState,
  Ready,
  RoleChange,
  SnapshotChunk,
  SnapshotWanted,
  VoteRequest,
  VoteResponse,
} from "../../src/index.ts";
import { ELECTION_TICKS, optionsOf, type CoreSetup } from "./options.ts";

/** The message type that `Kind` belongs to (requests and answers of votes and pre-votes share theirs). */
type Of<Kind extends Message["kind"], Each = Message> = Each extends Message
  ? Kind extends Each["kind"]
    ? Each
    : never
  : never;

export class Bench {
  readonly id: string;
  readonly core: RaftCore;
  /** Held back: nothing is durable until `persist` is called. */
  holdWrites = false;
  sent: Message[] = [];
  written: Entry[] = [];
  hardStates: HardState[] = [];
  committed: Entry[] = [];
  reads: ReadState[] = [];
  readsFailed: number[] = [];
  roleChanges: RoleChange[] = [];
  chunks: SnapshotChunk[] = [];
  wanted: SnapshotWanted[] = [];
  #held: Ready[] = [];

  constructor(setup: CoreSetup) {
    this.id = setup.id;
    this.core = new RaftCore(optionsOf(setup));
    this.drain();
  }

  drain(): this {
    while (this.core.hasReady()) {
      const ready = this.core.ready();
      this.sent.push(...ready.messages);
      this.reads.push(...ready.reads);
      this.readsFailed.push(...ready.readsFailed);
      this.chunks.push(...ready.snapshotChunks);
      this.wanted.push(...ready.snapshotsWanted);
      this.committed.push(...ready.committed);
      if (ready.roleChange !== null) {
        this.roleChanges.push(ready.roleChange);
      }
      this.#held.push(ready);
      if (!this.holdWrites) {
        this.#completeWrites();
      }
      const last = ready.committed.at(-1);
      if (last !== undefined) {
        this.core.applied(last.index);
      }
    }
    return this;
  }

  /** What was held back is durable now. */
  persist(): this {
    this.#completeWrites();
    return this.drain();
  }

  tick(count = 1): this {
    for (let tick = 0; tick < count; tick += 1) {
      this.core.tick();
      this.drain();
    }
    return this;
  }

  step(...messages: readonly Message[]): this {
    for (const message of messages) {
      this.core.step(message);
      this.drain();
    }
    return this;
  }

  propose(text = "x"): this {
    const data = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const result = this.core.propose(data);
    if (!result.accepted) {
      throw new Error(`the proposal was refused: ${result.reason}`);
    }
    return this.drain();
  }

  /** Everything of one kind that was sent since the last look, which it forgets. */
  take<Kind extends Message["kind"]>(kind: Kind): Of<Kind>[] {
    const matching = this.sent.filter((message): message is Of<Kind> => message.kind === kind);
    this.sent = this.sent.filter((message) => message.kind !== kind);
    return matching;
  }

  forget(): this {
    this.sent = [];
    return this;
  }

  /** Ticks until it asks for (pre-)votes; fails if it never does. */
  tickUntilCampaign(): this {
    for (let tick = 0; tick < 2 * ELECTION_TICKS; tick += 1) {
      this.tick();
      if (this.core.role() !== "follower") {
        return this;
      }
    }
    throw new Error(`${this.id} did not campaign within two election timeouts`);
  }

  /** Campaigns and is given every vote it asks for. */
  makeLeader(): this {
    this.tickUntilCampaign();
    for (const request of this.take("preVoteRequest")) {
      this.step(
        vote({ kind: "preVoteResponse", from: request.to, to: this.id, term: request.term }),
      );
    }
    for (const request of this.take("voteRequest")) {
      this.step(vote({ from: request.to, to: this.id, term: request.term }));
    }
    if (this.core.role() !== "leader") {
      throw new Error(`${this.id} was not elected`);
    }
    return this;
  }

  /** `peer` acknowledges the log up to `matchIndex` (all of it when not given). */
  acknowledge(peer: string, matchIndex: number = this.core.lastIndex()): this {
    return this.step(appendAnswer({ from: peer, to: this.id, term: this.core.term(), matchIndex }));
  }

  #completeWrites(): void {
    const held = this.#held;
    this.#held = [];
    for (const ready of held) {
      if (ready.hardState !== null) {
        this.hardStates.push(ready.hardState);
      }
      this.written.push(...ready.entries);
      for (const message of ready.messagesAfterPersist) {
        if (message.to === this.id) {
          this.core.step(message);
        } else {
          this.sent.push(message);
        }
      }
      const last = ready.entries.at(-1);
      if (last !== undefined) {
        this.core.persisted({ index: last.index, term: last.term });
      }
    }
  }
}

type Defaults<T> = Partial<T> & {
  readonly from: string;
  readonly to: string;
  readonly term: number;
};

export function append(given: Defaults<AppendRequest>): AppendRequest {
  return { kind: "append", previousIndex: 0, previousTerm: 0, entries: [], commit: 0, ...given };
}

export function appendAnswer(given: Defaults<AppendResponse>): AppendResponse {
  return {
    kind: "appendResponse",
    success: true,
    matchIndex: 0,
    rejectedIndex: 0,
    hintIndex: 0,
    hintTerm: 0,
    ...given,
  };
}

export function voteAsked(given: Defaults<VoteRequest>): VoteRequest {
  return { kind: "voteRequest", lastIndex: 0, lastTerm: 0, transfer: false, ...given };
}

export function vote(given: Defaults<VoteResponse>): VoteResponse {
  return { kind: "voteResponse", granted: true, ...given };
}

export function heartbeat(given: Defaults<Heartbeat>): Heartbeat {
  return { kind: "heartbeat", commit: 0, readRound: 0, ...given };
}

export function heartbeatAnswer(given: Defaults<HeartbeatResponse>): HeartbeatResponse {
  return { kind: "heartbeatResponse", readRound: 0, ...given };
}

export function chunk(given: Defaults<SnapshotChunk> & Pick<SnapshotChunk, "meta">): SnapshotChunk {
  return {
    kind: "snapshotChunk",
    offsetBytes: 0,
    lengthBytes: given.data?.length ?? 0,
    done: false,
    data: new Uint8Array(0),
    ...given,
  };
}
