/**
 * All that concerns snapshots in one group: when to take one, what may be dropped from the log because of it, which one
 * a follower gets, and what becomes of one that the leader sends.
 */
import type {
  RaftCoreApi,
  SnapshotChunk,
  SnapshotMeta,
  SnapshotWanted,
  NodeId,
} from "@ferrite/raft";
import type { ReplicaLimits, ReplicaPorts } from "./options.ts";
import { SnapshotInstaller } from "./snapshot-installer.ts";
import { SnapshotTaker } from "./snapshot-taker.ts";
import type { StateMachine } from "./state-machine.ts";

/** While a follower is being sent a snapshot, the entries behind it are kept, up to this many times the cache. */
const CACHE_STRETCH = 4;
/** A snapshot counts as being sent for so long after its last chunk. */
const SENDING_GRACE_MS = 10_000;
/** After a failure the next attempt waits this long. */
const RETRY_MS = 5000;
/** After a received snapshot could not be written. */
const RECEIVE_AGAIN_MS = 1000;

export interface SnapshotKeeperOptions {
  readonly core: RaftCoreApi;
  readonly ports: ReplicaPorts;
  readonly limits: ReplicaLimits;
  readonly latest: SnapshotMeta | null;
  newMachine(): StateMachine;
  onRestored(meta: SnapshotMeta, machine: StateMachine): void;
  /** There is work for a round. */
  /** Something else may be walking the keyspace, and has to give way. */
  beforeTaking(): void;
  schedule(): void;
}

export class SnapshotKeeper {
  readonly #core: RaftCoreApi;
  readonly #ports: ReplicaPorts;
  readonly #limits: ReplicaLimits;
  readonly #beforeTaking: () => void;
  readonly #schedule: () => void;
  readonly #installer: SnapshotInstaller;
  #latest: SnapshotMeta | null;
  #taker: SnapshotTaker | null = null;
  #logBytesSince = 0;
  #waiting: Map<NodeId, number> = new Map();
  #sentAtMs = -Infinity;
  #sendingIndex = 0;
  #retryAtMs = 0;
  /** A snapshot that could not be received, and when the leader is asked for it again. */
  #askAgain: { readonly meta: SnapshotMeta; readonly atMs: number } | null = null;

  constructor(options: SnapshotKeeperOptions) {
    this.#core = options.core;
    this.#ports = options.ports;
    this.#limits = options.limits;
    this.#latest = options.latest;
    this.#beforeTaking = () => options.beforeTaking();
    this.#schedule = () => options.schedule();
    this.#logBytesSince = options.core.logBytes();
    this.#installer = new SnapshotInstaller(options.ports.snapshots, () => options.newMachine(), {
      onStored: (meta, nextOffsetBytes) => {
        this.#core.snapshotChunkStored(meta, nextOffsetBytes);
        this.#schedule();
      },
      onRestored: (meta, machine) => {
        this.#taker?.cancel();
        this.#taker = null;
        this.#latest = meta;
        this.#logBytesSince = 0;
        this.#ports.snapshots.prune(1);
        options.onRestored(meta, machine);
      },
      onFailed: (meta, error) => {
        this.#askAgain = { meta, atMs: this.#ports.clock.monotonicMs() + RECEIVE_AGAIN_MS };
        this.#ports.events.snapshotFailed(error);
      },
    });
  }

  get latestIndex(): number {
    return this.#latest?.index ?? 0;
  }

  get isTaking(): boolean {
    return this.#taker !== null;
  }

  /** Whether a slice can be done in the next round. */
  get isRunnable(): boolean {
    return this.#taker?.isRunnable ?? false;
  }

  logGrew(sizeBytes: number): void {
    this.#logBytesSince += sizeBytes;
  }

  /** Once a round: starts a snapshot when it is time, and does a slice of the one that runs. */
  work(machine: StateMachine): void {
    if (this.#askAgain !== null && this.#ports.clock.monotonicMs() >= this.#askAgain.atMs) {
      this.#core.snapshotChunkStored(this.#askAgain.meta, 0);
      this.#askAgain = null;
    }
    this.#installer.caughtUp(machine.appliedIndex);
    if (this.#taker === null && this.#isDue(machine)) this.#take(machine);
    this.#taker?.step();
  }

  /** A snapshot of now, however little was written since the last one; nothing when one is on its way. */
  takeNow(machine: StateMachine): void {
    if (this.#taker !== null || this.#installer.isReceiving) return;
    if (machine.appliedIndex === this.latestIndex) return;
    this.#take(machine);
    this.#schedule();
  }

  /** A follower is behind the log. */
  provide(wanted: SnapshotWanted, machine: StateMachine): void {
    const latest = this.#latest;
    if (latest !== null && latest.index >= wanted.minimumIndex) {
      this.#markSending(latest.index);
      this.#core.snapshotAvailable(wanted.to, latest);
      this.#schedule();
      return;
    }
    this.#waiting.set(wanted.to, wanted.minimumIndex);
    if (this.#taker === null) this.#take(machine);
    this.#schedule();
  }

  /** Fills a chunk with its bytes and hands it on. */
  sendChunk(chunk: SnapshotChunk, send: (filled: SnapshotChunk) => void): void {
    this.#markSending(chunk.meta.index);
    const range = { offsetBytes: chunk.offsetBytes, lengthBytes: chunk.lengthBytes };
    this.#ports.snapshots.read(chunk.meta, range, (error, data) => {
      if (error === null && data.length === chunk.lengthBytes) {
        send({ ...chunk, data });
        return;
      }
      // The core asks for another one. That this one was pruned meanwhile is nothing to report.
      this.#core.snapshotUnavailable(chunk.to);
      const pruned = chunk.meta.index < this.latestIndex;
      if (error !== null && !pruned) this.#ports.events.snapshotFailed(error);
      this.#schedule();
    });
  }

  receive(chunk: SnapshotChunk): void {
    // It comes again by itself. Asked for in the middle of it, the core would begin anew under the installer's feet.
    if (chunk.offsetBytes === 0) this.#askAgain = null;
    this.#installer.chunk(chunk);
  }

  /** Keeps the entries held in memory within their limit. */
  trimCache(appliedIndex: number): void {
    const held = this.#core.logBytes();
    if (held <= this.#limits.logCacheBytesMax) return;
    const status = this.#core.status();
    let target = status.firstIndex + Math.floor((appliedIndex - status.firstIndex) / 2);
    const sending = this.#ports.clock.monotonicMs() - this.#sentAtMs < SENDING_GRACE_MS;
    if (sending && held < this.#limits.logCacheBytesMax * CACHE_STRETCH) {
      target = Math.min(target, this.#sendingIndex);
    }
    if (target >= status.firstIndex && target <= appliedIndex) this.#core.compact(target);
  }

  cancel(): void {
    this.#taker?.cancel();
    this.#taker = null;
    this.#installer.cancel();
  }

  #isDue(machine: StateMachine): boolean {
    if (machine.appliedIndex === this.latestIndex) return false;
    if (this.#installer.isReceiving) return false;
    // A large state is written no more often than the log grows by its size: at most half of all writing is snapshots.
    const threshold = Math.max(this.#limits.snapshotLogBytes, this.#latest?.sizeBytes ?? 0);
    return this.#logBytesSince >= threshold && this.#ports.clock.monotonicMs() >= this.#retryAtMs;
  }

  #take(machine: StateMachine): void {
    this.#beforeTaking();
    const loggedBefore = this.#logBytesSince;
    this.#taker = new SnapshotTaker(machine, this.#ports.snapshots, {
      onTaken: (meta) => {
        this.#taker = null;
        this.#latest = meta;
        this.#logBytesSince -= loggedBefore;
        this.#ports.log.compact(meta.index);
        this.#ports.snapshots.prune(1);
        this.#ports.events.snapshotTaken(meta);
        this.#answerWaiting(machine);
        this.#schedule();
      },
      onFailed: (error) => {
        this.#taker = null;
        this.#failed(error);
      },
    });
  }

  #answerWaiting(machine: StateMachine): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [to, minimumIndex] of waiting) {
      this.provide({ to, minimumIndex }, machine);
    }
  }

  #failed(error: Error): void {
    this.#retryAtMs = this.#ports.clock.monotonicMs() + RETRY_MS;
    for (const to of this.#waiting.keys()) this.#core.snapshotUnavailable(to);
    this.#waiting.clear();
    this.#ports.events.snapshotFailed(error);
    this.#schedule();
  }

  #markSending(index: number): void {
    this.#sentAtMs = this.#ports.clock.monotonicMs();
    this.#sendingIndex = index;
  }
}
