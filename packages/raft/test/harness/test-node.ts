/**
 * A driver around one core: memory disk, a state machine that remembers what it applied, and a mirror of the log made
 * from the Readys alone. Carries out every Ready as ready.ts demands, except where a canary breaks the contract.
 */
import { RaftCore } from "../../src/index.ts";
import type {
  Entry,
  Message,
  RaftOptions,
  Ready,
  ReadState,
  SnapshotChunk,
  SnapshotMeta,
} from "../../src/index.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { bytesOf, textOf } from "./options.ts";

/** Ways to break the driver's contract on purpose: each must be caught by the invariants. */
export type Canary =
  | "forgetVoteAtRestart"
  | "acknowledgeBeforePersist"
  | "loseLogTailAtRestart"
  | "forgetFloorAtRestart";

export interface NodeEvents {
  send(message: Message): void;
  appended(node: TestNode, entries: readonly Entry[]): void;
  applied(node: TestNode, entry: Entry): void;
  installed(node: TestNode, meta: SnapshotMeta, state: string): void;
  readConfirmed(node: TestNode, read: ReadState): void;
  readFailed(node: TestNode, requestId: number): void;
  readyTaken?(node: TestNode, ready: Ready): void;
}

/** Folds one more entry into the state: equal states mean equal histories. */
export function foldState(state: string, entry: Entry): string {
  let hash = 0x811c9dc5;
  for (const character of `${state}|${entry.index}|${entry.term}|${textOf(entry.data)}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  }
  return `${entry.index}:${entry.term}:${hash.toString(16).padStart(8, "0")}`;
}

export class TestNode {
  readonly id: string;
  readonly disk: MemoryDisk;
  readonly #options: RaftOptions;
  readonly #events: NodeEvents;
  readonly #canary: Canary | null;
  core: RaftCore;
  up = true;
  state = "";
  appliedIndex: number;
  /** The log as the Readys told it, behind `mirrorStart`. */
  mirror: Entry[] = [];
  mirrorStart: number;
  #restarts = 0;
  #incoming = "";
  /** The snapshot to install once the writes before it are durable. */
  #incomingWhole: SnapshotMeta | null = null;

  constructor(options: RaftOptions, events: NodeEvents, canary: Canary | null = null) {
    this.id = options.id;
    this.#options = options;
    this.#events = events;
    this.#canary = canary;
    this.disk = new MemoryDisk(options.restored.snapshot.configuration);
    this.disk.hardState = options.restored.hardState;
    this.disk.snapshot = options.restored.snapshot;
    this.disk.entries = [...options.restored.entries];
    this.core = new RaftCore(options);
    this.appliedIndex = options.restored.snapshot.index;
    this.mirrorStart = options.restored.snapshot.index;
    this.mirror = [...options.restored.entries];
  }

  crash(survivingWrites: number): void {
    this.disk.crash(survivingWrites);
    this.up = false;
  }

  /** The end of the log, from `index` on, turns out to be unreadable when it is started again. */
  damageFrom(index: number): void {
    this.disk.damageFrom(index, this.#options.restored.snapshot.configuration);
  }

  restart(): void {
    const { disk } = this;
    if (this.#canary === "forgetVoteAtRestart") {
      disk.hardState = { ...disk.hardState, vote: null };
    }
    if (this.#canary === "loseLogTailAtRestart") {
      disk.entries.splice(Math.max(0, disk.hardState.commit - disk.snapshot.index));
    }
    if (this.#canary === "forgetFloorAtRestart") {
      const { hardState, snapshot, entries } = disk;
      const end = snapshot.index + entries.length;
      disk.hardState = { ...hardState, commit: Math.min(hardState.commit, end) };
      disk.floor = null;
    }
    this.#restarts += 1;
    this.core = new RaftCore({
      ...this.#options,
      seed: this.#options.seed + this.#restarts * 7919,
      restored: disk.restored(),
    });
    this.up = true;
    this.state = disk.snapshotBytes;
    this.appliedIndex = disk.snapshot.index;
    this.mirrorStart = disk.snapshot.index;
    this.mirror = [...disk.entries];
    this.#incoming = "";
    this.#incomingWhole = null;
    this.pump();
  }

  /** Carries out everything the core wants. */
  pump(): void {
    while (this.up && this.core.hasReady()) {
      this.#carryOut(this.core.ready());
    }
    this.#installWhole();
  }

  completeWrite(): void {
    this.disk.completeOne();
    this.pump();
  }

  /** Takes a snapshot of what is applied and forgets the log up to `index`. */
  compact(index: number): void {
    const meta: SnapshotMeta = {
      index: this.appliedIndex,
      term: this.termAt(this.appliedIndex) ?? 0,
      configuration: this.core.configurationAt(this.appliedIndex),
      sizeBytes: this.state.length,
    };
    this.disk.completeAll();
    this.disk.saveSnapshot(meta, this.state);
    this.core.compact(index);
    this.pump();
  }

  termAt(index: number): number | null {
    if (index === this.disk.snapshot.index) {
      return this.disk.snapshot.term;
    }
    return this.mirror[index - this.mirrorStart - 1]?.term ?? null;
  }

  get lastIndex(): number {
    return this.mirrorStart + this.mirror.length;
  }

  #carryOut(ready: Ready): void {
    this.#events.readyTaken?.(this, ready);
    this.#mirror(ready.entries);
    for (const message of ready.messages) {
      this.#send(message);
    }
    this.#persist(ready);
    for (const entry of ready.committed) {
      this.#apply(entry);
    }
    for (const read of ready.reads) {
      this.#events.readConfirmed(this, read);
    }
    for (const requestId of ready.readsFailed) {
      this.#events.readFailed(this, requestId);
    }
    for (const chunk of ready.snapshotChunks) {
      this.#storeChunk(chunk);
    }
    for (const wanted of ready.snapshotsWanted) {
      if (this.disk.snapshot.index >= wanted.minimumIndex && this.disk.snapshot.index > 0) {
        this.core.snapshotAvailable(wanted.to, this.disk.snapshot);
      } else {
        this.core.snapshotUnavailable(wanted.to);
      }
    }
  }

  #persist(ready: Ready): void {
    const { hardState, entries, messagesAfterPersist } = ready;
    const last = entries.at(-1);
    const { core } = this;
    const early = this.#canary === "acknowledgeBeforePersist";
    if (early) {
      for (const message of messagesAfterPersist) {
        this.#release(core, message);
      }
    }
    this.disk.submit({
      hardState,
      entries,
      onDurable: () => {
        if (core !== this.core) {
          return;
        }
        if (!early) {
          for (const message of messagesAfterPersist) {
            this.#release(core, message);
          }
        }
        if (last !== undefined) {
          core.persisted({ index: last.index, term: last.term });
          this.#forgetFloorWhenWhole();
        }
      },
    });
  }

  #forgetFloorWhenWhole(): void {
    if (this.core.floor() === null) {
      this.disk.floor = null;
    }
  }

  #release(core: RaftCore, message: Message): void {
    if (message.to === this.id) {
      core.step(message);
    } else {
      this.#send(message);
    }
  }

  #send(message: Message): void {
    if (message.kind !== "snapshotChunk") {
      this.#events.send(message);
      return;
    }
    if (message.meta.index !== this.disk.snapshot.index) {
      this.core.snapshotUnavailable(message.to);
      return;
    }
    const { offsetBytes, lengthBytes } = message;
    const bytes = this.disk.snapshotBytes.slice(offsetBytes, offsetBytes + lengthBytes);
    this.#events.send({ ...message, data: bytesOf(bytes) });
  }

  #mirror(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) {
      return;
    }
    this.mirror.length = first.index - this.mirrorStart - 1;
    this.mirror.push(...entries);
    this.#events.appended(this, entries);
  }

  #apply(entry: Entry): void {
    this.state = foldState(this.state, entry);
    this.appliedIndex = entry.index;
    this.#events.applied(this, entry);
    this.core.applied(entry.index);
  }

  #storeChunk(chunk: SnapshotChunk): void {
    if (chunk.offsetBytes === 0) {
      this.#incoming = "";
    }
    if (chunk.offsetBytes !== this.#incoming.length) {
      throw new Error(
        `${this.id} got a chunk at ${chunk.offsetBytes} behind ${this.#incoming.length}`,
      );
    }
    this.#incoming += textOf(chunk.data);
    if (chunk.done) {
      this.#incomingWhole = chunk.meta;
    } else {
      this.core.snapshotChunkStored(chunk.meta, this.#incoming.length);
    }
  }

  /** After the writes that came before it, as the log is put behind it. */
  #installWhole(): void {
    const meta = this.#incomingWhole;
    if (meta === null || this.disk.pendingWrites > 0 || !this.up) {
      return;
    }
    this.#incomingWhole = null;
    this.disk.reset(meta, this.#incoming);
    this.state = this.#incoming;
    this.appliedIndex = meta.index;
    this.mirrorStart = meta.index;
    this.mirror = [];
    this.#events.installed(this, meta, this.state);
    this.core.snapshotInstalled(meta);
    this.#forgetFloorWhenWhole();
    this.pump();
  }
}
