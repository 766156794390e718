/**
 * All that concerns snapshots in one group: when to take one, what may be dropped from the log because of it, which one
 * a follower gets and from whom, and what becomes of one that the leader sends.
 */
import type {
  Index,
  NodeId,
  RaftCoreApi,
  SnapshotChunk,
  SnapshotMeta,
  SnapshotWanted,
} from "@ferrite/raft";
import type { ReplicaLimits, ReplicaOptions, ReplicaPorts } from "./options.ts";
import { SnapshotInstaller } from "./snapshot-installer.ts";
import { SnapshotLoans } from "./snapshot-loans.ts";
import { SnapshotTaker } from "./snapshot-taker.ts";
import type { StateMachine } from "./state-machine.ts";
import type { SnapshotLoan } from "./transport.ts";

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
  readonly replica: Pick<ReplicaOptions, "incarnation" | "limits" | "newMachine" | "recovered">;
  readonly firstRequestId: number;
  /** The one that serves. */
  machine(): StateMachine;
  onRestored(meta: SnapshotMeta, machine: StateMachine): void;
  /** A chunk that the leader announced is whole: it is to be taken in as if it had come from the leader. */
  onChunk(chunk: SnapshotChunk): void;
  /** Something else may be walking the keyspace, and has to give way. */
  beforeTaking(): void;
  /** There is work for a round. */
  schedule(): void;
}

export class SnapshotKeeper {
  readonly #core: RaftCoreApi;
  readonly #ports: ReplicaPorts;
  readonly #limits: ReplicaLimits;
  readonly #beforeTaking: () => void;
  readonly #schedule: () => void;
  readonly #machine: () => StateMachine;
  readonly #installer: SnapshotInstaller;
  readonly #loans: SnapshotLoans;
  #latest: SnapshotMeta | null;
  #taker: SnapshotTaker | null = null;
  #logBytesSince = 0;
  #waiting: Map<NodeId, number> = new Map();
  #sentAtMs = -Infinity;
  #sendingIndex = 0;
  #sentBytes = 0;
  #retryAtMs = 0;
  /** A snapshot that could not be received, and when the leader is asked for it again. */
  #askAgain: { readonly meta: SnapshotMeta; readonly atMs: number } | null = null;

  constructor(options: SnapshotKeeperOptions) {
    this.#core = options.core;
    this.#ports = options.ports;
    const { replica } = options;
    this.#limits = replica.limits;
    this.#latest = replica.recovered.snapshot;
    this.#beforeTaking = () => options.beforeTaking();
    this.#schedule = () => options.schedule();
    this.#machine = () => options.machine();
    this.#logBytesSince = options.core.logBytes();
    this.#installer = new SnapshotInstaller(options.ports.snapshots, () => replica.newMachine(), {
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
    const { clock, snapshots, transport } = options.ports;
    this.#loans = new SnapshotLoans({
      core: options.core,
      store: snapshots,
      incarnation: replica.incarnation,
      electionTimeoutMs: replica.limits.electionTimeoutMs,
      firstRequestId: options.firstRequestId,
      monotonicMs: () => clock.monotonicMs(),
      connected: (peer) => transport.connected(peer),
      lendsSnapshots: (peer) => transport.lendsSnapshots(peer),
      send: (to, payload) => {
        this.#schedule();
        return transport.send(to, payload);
      },
      latest: () => this.#latest,
      take: (asker, minimumIndex) => this.#takeFor(asker, minimumIndex),
      beingTaken: (index) => this.#markSending(index),
      readFailed: (meta, error) => this.#readFailed(meta, error),
      received: (chunk) => options.onChunk(chunk),
    });
  }

  get latestIndex(): number {
    return this.#latest?.index ?? 0;
  }

  /** Bytes of snapshots that other nodes got from this one. */
  get sentBytes(): number {
    return this.#sentBytes + this.#loans.lentBytes;
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
  work(): void {
    const machine = this.#machine();
    if (this.#askAgain !== null && this.#ports.clock.monotonicMs() >= this.#askAgain.atMs) {
      this.#core.snapshotChunkStored(this.#askAgain.meta, 0);
      this.#askAgain = null;
    }
    this.#installer.caughtUp(machine.appliedIndex);
    if (this.#taker === null && this.#isDue(machine)) this.#take();
    this.#taker?.step();
    // Somebody waits for it, and will need the log behind it.
    if (this.#taker !== null && this.#waiting.size > 0) this.#markSending(this.#taker.index);
  }

  tick(): void {
    this.#loans.tick();
  }

  /** A snapshot of now, however little was written since the last one; nothing when one is on its way. */
  takeNow(): void {
    if (this.#taker !== null || this.#installer.isReceiving) return;
    if (this.#machine().appliedIndex === this.latestIndex) return;
    this.#take();
    this.#schedule();
  }

  /** A follower is behind the log: another one lends a snapshot, or it gets this node's. */
  provide({ to, minimumIndex }: SnapshotWanted): void {
    const mayTake = this.latestIndex < minimumIndex;
    this.#loans.find({ to, minimumIndex, mayTake }, (lent) => {
      if (lent === null) return this.#provideOwn(to, minimumIndex);
      this.#markSending(lent.meta.index);
      this.#core.snapshotAvailable(to, lent.meta, lent.source);
      this.#schedule();
    });
  }

  /** Sends a chunk with its bytes, or says where they are. */
  sendChunk(chunk: SnapshotChunk, send: (filled: SnapshotChunk) => void): void {
    this.#markSending(chunk.meta.index);
    const source = chunk.source ?? null;
    if (source !== null) return this.#loans.announce({ ...chunk, source });
    const range = { offsetBytes: chunk.offsetBytes, lengthBytes: chunk.lengthBytes };
    this.#ports.snapshots.read(chunk.meta, range, (error, data) => {
      if (error === null && data.length === chunk.lengthBytes) {
        this.#sentBytes += data.length;
        send({ ...chunk, data });
        return;
      }
      // The core asks for another one.
      this.#core.snapshotUnavailable(chunk.to);
      if (error !== null) this.#readFailed(chunk.meta, error);
      this.#schedule();
    });
  }

  /** About a snapshot that a follower lends. */
  receiveLoan(from: NodeId, payload: SnapshotLoan): void {
    this.#loans.receive(from, payload);
  }

  disconnected(peer: NodeId): void {
    this.#loans.disconnected(peer);
  }

  leaderChanged(): void {
    this.#loans.leaderChanged();
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

  #provideOwn(to: NodeId, minimumIndex: Index): void {
    const latest = this.#latest;
    if (latest !== null && latest.index >= minimumIndex) {
      this.#markSending(latest.index);
      this.#core.snapshotAvailable(to, latest);
    } else if (this.#machine().appliedIndex < minimumIndex) {
      // It had begun with a lent one that is ahead of this node's state, which will be there when the core asks again.
      this.#core.snapshotUnavailable(to);
    } else {
      this.#waiting.set(to, minimumIndex);
      if (this.#taker === null) this.#take();
    }
    this.#schedule();
  }

  #takeFor(asker: NodeId, minimumIndex: Index): Index | null {
    const hasFailed = this.#ports.clock.monotonicMs() < this.#retryAtMs;
    const isBehind = this.#machine().appliedIndex < minimumIndex;
    if (hasFailed || isBehind || asker !== this.#core.leader()) return null;
    this.takeNow();
    return this.#taker?.index ?? null;
  }

  /** That one was pruned meanwhile is nothing to report. */
  #readFailed(meta: SnapshotMeta, error: Error): void {
    if (meta.index >= this.latestIndex) this.#ports.events.snapshotFailed(error);
  }

  #take(): void {
    this.#beforeTaking();
    const loggedBefore = this.#logBytesSince;
    this.#taker = new SnapshotTaker(this.#machine(), this.#ports.snapshots, {
      onTaken: (meta) => {
        this.#taker = null;
        this.#latest = meta;
        this.#logBytesSince -= loggedBefore;
        this.#ports.log.compact(meta.index);
        this.#ports.snapshots.prune(1);
        this.#ports.events.snapshotTaken(meta);
        this.#answerWaiting();
        this.#schedule();
      },
      onFailed: (error) => {
        this.#taker = null;
        this.#failed(error);
      },
    });
  }

  #answerWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [to, minimumIndex] of waiting) this.#provideOwn(to, minimumIndex);
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
