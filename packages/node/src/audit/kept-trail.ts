/**
 * The trail that is kept. An event becomes a record at once, in memory: its place in the chain is decided when it happens
 * and not when a disk has time. From there it goes to the ring, the files and the other sinks, each at its own speed.
 */
import { auditClient } from "../access/audit-client.ts";
import type { AuditAnchors } from "../replica/access-state.ts";
import type { ClientView } from "../server/edge-context.ts";
import { Anchoring } from "./anchoring.ts";
import type { AuditLogView, AuditPage, AuditStatus } from "./audit-log-view.ts";
import type { AuditService } from "./audit-service.ts";
import type { AuditSettings } from "./audit-settings.ts";
import type { AuditEvent } from "./audit-trail.ts";
import type { ChainHead } from "./chain-head.ts";
import { Chain, type ChainIdentity } from "./chain.ts";
import { readChainKey } from "./chain-key.ts";
import type { AuditClock } from "./clock.ts";
import type { AuditFileSystem } from "./files/audit-file-system.ts";
import { FileReader } from "./files/file-reader.ts";
import { FileSink } from "./files/file-sink.ts";
import { recoverTrail } from "./files/recovery.ts";
import { KeyNames } from "./key-names.ts";
import {
  CLOSE_TIMEOUT_MS,
  EARLY_EVENTS_MAX,
  HOUSEKEEPING_INTERVAL_MS,
  SYNC_INTERVAL_MS,
} from "./limits.ts";
import {
  anchorMismatch,
  chainStarted,
  eventsDropped,
  fileRemoved,
  fileTampered,
  sinkDropped,
  trailRead,
  writingFailed,
  writingRecovered,
} from "./own-events.ts";
import { newChainId, openingEvents, startOf } from "./opening.ts";
import { PageReader } from "./page-reader.ts";
import { NO_HASH, splitLine } from "./record.ts";
import { Readers } from "./readers.ts";
import { RepeatLimiter } from "./repeat-limiter.ts";
import { Ring } from "./ring.ts";
import type { SinkQueue } from "./sinks/sink-queue.ts";

/** The part of pino's logger that the trail uses. */
export interface AuditLogger {
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export interface KeptTrailParts {
  readonly settings: AuditSettings;
  /** The node's data directory; the trail lives in `audit` below it. */
  readonly directory: string;
  readonly identity: ChainIdentity;
  readonly clock: AuditClock;
  readonly fileSystem: AuditFileSystem;
  readonly sinks: readonly SinkQueue[];
  readonly logger: AuditLogger;
}

export class KeptTrail implements AuditService {
  readonly log: AuditLogView = this;
  readonly #parts: KeptTrailParts;
  readonly #ring: Ring;
  readonly #files: FileSink;
  readonly #pages: PageReader;
  readonly #repeats: RepeatLimiter;
  readonly #anchoring: Anchoring;
  readonly #readers = new Readers();
  #onFailure: AuditSettings["auditOnFailure"];
  #keyNames: KeyNames | null = null;
  /** Null before the start. */
  #chain: Chain | null = null;
  readonly #early: AuditEvent[] = [];
  #isClosed = false;
  #records = 0;
  #dropped = 0;
  #untoldDrops = 0;
  #repeated = 0;
  #nextSyncMs = 0;
  #cancelHousekeeping: () => void = () => undefined;

  constructor(parts: KeptTrailParts) {
    const { settings, directory, fileSystem, clock } = parts;
    this.#parts = parts;
    this.#onFailure = settings.auditOnFailure;
    this.#ring = new Ring(settings.auditRingEntries);
    this.#pages = new PageReader(this.#ring, new FileReader(fileSystem, directory), clock);
    this.#repeats = new RepeatLimiter(settings.auditRepeatLimit, (event, count) =>
      this.#admit(event, count),
    );
    this.#files = new FileSink(
      { fileSystem, clock },
      {
        directory,
        sync: settings.auditFsync,
        fileBytes: settings.auditFileBytes,
        keepFiles: settings.auditKeepFiles,
      },
      {
        failed: (error) => this.#fileFailed(error),
        recovered: () => this.#admit(writingRecovered()),
        tampered: (file) => this.#fileTampered(file),
        removed: (file) => this.#admit(fileRemoved(file)),
      },
    );
    this.#anchoring = new Anchoring({
      nodeId: parts.identity.nodeId,
      intervalMs: settings.auditAnchorIntervalMs,
      makeDurable: () => this.#makeDurable(),
      hashAt: (sequence) => this.#hashAt(sequence),
      mismatch: (anchor, found) => this.#anchorMismatch(anchor, found),
      failed: (error) =>
        parts.logger.error({ err: error }, "the audit trail could not be anchored"),
    });
  }

  async start(): Promise<void> {
    const { settings, directory, fileSystem } = this.#parts;
    const key = settings.auditKeyFile === null ? null : await readChainKey(settings.auditKeyFile);
    await fileSystem.prepareDirectory(directory);
    const recovered = await recoverTrail(fileSystem, directory, key);
    if (recovered.kind === "resumed") await this.#files.resume(recovered.file, recovered.start);
    this.#keyNames = new KeyNames(settings.auditKeys, key, this.#parts.identity.clusterId);
    const { identity, clock } = this.#parts;
    const keyNames = this.#keyNames;
    this.#chain = new Chain({ identity, key, clock, keyNames, start: startOf(recovered) });
    for (const event of openingEvents(recovered)) this.#admit(event);
    if (recovered.kind === "damaged") {
      this.#parts.logger.error({ problem: recovered.problem }, "the audit trail was begun anew");
    }
    for (const event of this.#early.splice(0)) this.record(event);
    this.#keepHouse();
  }

  attachAnchors(anchors: AuditAnchors, isCaughtUp: () => boolean): void {
    this.#anchoring.attach(anchors, isCaughtUp);
  }

  applySettings(settings: Pick<AuditSettings, "auditKeys" | "auditOnFailure">): void {
    this.#onFailure = settings.auditOnFailure;
    if (this.#keyNames !== null) this.#keyNames.policy = settings.auditKeys;
  }

  record(event: AuditEvent): void {
    try {
      if (this.#isClosed) this.#drop();
      else if (this.#chain === null) this.#keepEarly(event);
      else if (this.#repeats.admit(event, this.#parts.clock.monotonicMs())) this.#admit(event);
      else this.#repeated++;
    } catch (error) {
      // Whoever records an event has something else to do; a defect here must not become theirs.
      this.#drop();
      this.#parts.logger.error({ err: error }, "an event could not be recorded: this is a defect");
    }
  }

  refusal(): string | null {
    if (this.#onFailure !== "block") return null;
    const reason = this.#obstacle();
    return reason === null
      ? null
      : `AUDITFAIL ${reason}; commands that have to be in the audit trail are refused (audit-on-failure block)`;
  }

  status(): AuditStatus {
    const head = this.#chain?.head ?? { sequence: 0, hash: NO_HASH };
    return {
      enabled: true,
      head: { sequence: head.sequence, hash: head.hash },
      chain: this.#chain?.chain ?? "",
      anchored: this.#anchoring.anchored(),
      anchors: this.#anchoring.all(),
      records: this.#records,
      dropped: this.#dropped,
      repeated: this.#repeated,
      sinks: [
        {
          name: "file",
          delivered: this.#files.records,
          failures: this.#files.failures,
          dropped: this.#dropped,
          queuedRecords: this.#files.queuedRecords,
          queuedBytes: this.#files.queuedBytes,
          failure: this.#files.failure?.message ?? null,
        },
        ...this.#parts.sinks.map((sink) => ({
          name: sink.name,
          ...sink.counters,
          queuedRecords: sink.queuedRecords,
          queuedBytes: sink.queuedBytes,
          failure: sink.failure?.message ?? null,
        })),
      ],
      refusal: this.refusal(),
    };
  }

  readBy(reader: ClientView): void {
    if (this.#readers.isNew(reader)) this.record(trailRead(auditClient(reader)));
  }

  newest(count: number, done: (page: AuditPage) => void): void {
    this.#pages.newest(this.#chain?.head.sequence ?? 0, count, done);
  }

  since(after: number, count: number, done: (page: AuditPage) => void): void {
    this.#pages.since(after, count, done);
  }

  follow(...[query, done]: Parameters<AuditLogView["follow"]>): () => void {
    return this.#pages.follow({ ...query, head: this.#chain?.head.sequence ?? 0 }, done);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#cancelHousekeeping();
    if (this.#chain !== null) {
      this.#repeats.expire(Number.POSITIVE_INFINITY);
      this.#tellDrops();
    }
    this.#isClosed = true;
    this.#pages.close();
    const [left] = await Promise.all([
      this.#files.close(CLOSE_TIMEOUT_MS),
      ...this.#parts.sinks.map((sink) => sink.close(CLOSE_TIMEOUT_MS)),
    ]);
    if (left > 0) this.#parts.logger.error({ records: left }, "audit records could not be written");
  }

  #keepEarly(event: AuditEvent): void {
    if (this.#early.length < EARLY_EVENTS_MAX) this.#early.push(event);
    else this.#drop();
  }

  #drop(): void {
    this.#dropped++;
    this.#untoldDrops++;
  }

  /** Into the chain and everywhere, if there is room. Once it is in the chain it can not be left out any more. */
  #admit(event: AuditEvent, count = 1): void {
    const chain = this.#chain;
    if (chain === null || this.#isClosed) return;
    if (this.#files.queuedBytes >= this.#parts.settings.auditQueueBytesMax) {
      this.#drop();
      return;
    }
    this.#tellDrops();
    this.#seal(chain, event, count);
  }

  #seal(chain: Chain, event: AuditEvent, count: number): void {
    const sealed = chain.seal(event, count);
    this.#records++;
    this.#ring.push({ sequence: sealed.record.sequence, line: sealed.line });
    this.#files.enqueue(sealed);
    for (const sink of this.#parts.sinks) sink.enqueue(sealed);
    this.#pages.added(sealed.record.sequence);
  }

  /** Says how much is missing before anything else is recorded, once half of the queue is free again. */
  #tellDrops(): void {
    const { settings } = this.#parts;
    if (this.#chain === null || this.#untoldDrops === 0) return;
    if (this.#files.queuedBytes > settings.auditQueueBytesMax / 2) return;
    const count = this.#untoldDrops;
    this.#untoldDrops = 0;
    this.#seal(this.#chain, eventsDropped(count), count);
  }

  /**
   * Half of the queue is left for what can not be refused: a failed login happens whether it is written or not.
   */
  #obstacle(): string | null {
    const full = this.#parts.settings.auditQueueBytesMax / 2;
    if (this.#files.failure !== null) {
      return `the audit trail can not be written (${this.#files.failure.message})`;
    }
    if (this.#files.queuedBytes > full) return "the disk is too slow for the audit trail";
    const stuck = this.#parts.sinks.find((sink) => sink.queuedBytes > full);
    return stuck === undefined ? null : `the audit sink ${stuck.name} does not keep up`;
  }

  #keepHouse(): void {
    this.#cancelHousekeeping = this.#parts.clock.after(HOUSEKEEPING_INTERVAL_MS, () => {
      const nowMs = this.#parts.clock.monotonicMs();
      this.#repeats.expire(nowMs);
      this.#tellDrops();
      for (const sink of this.#parts.sinks) {
        const drops = sink.takeDrops();
        if (drops > 0) this.#admit(sinkDropped(sink.name, drops), drops);
      }
      if (this.#parts.settings.auditFsync === "interval" && nowMs >= this.#nextSyncMs) {
        this.#nextSyncMs = nowMs + SYNC_INTERVAL_MS;
        void this.#files.sync();
      }
      this.#anchoring.tick(nowMs);
      this.#keepHouse();
    });
  }

  /** Only what survives a power cut may be witnessed, or the cut would look like tampering. */
  async #makeDurable(): Promise<ChainHead | null> {
    await this.#files.sync();
    return this.#files.durable;
  }

  #hashAt(sequence: number): Promise<string | null | undefined> {
    return new Promise((resolve) => {
      this.#pages.since(sequence - 1, 1, (page) => {
        if (!page.ok) return resolve(undefined);
        const line = page.lines[0];
        const fits = line?.includes(`"seq":${sequence},`);
        return resolve(fits ? (splitLine(line.subarray(0, -1))?.hash ?? null) : null);
      });
    });
  }

  #anchorMismatch(anchor: ChainHead, found: string | null): void {
    const chain = this.#chain;
    if (chain === null) return;
    this.#parts.logger.error(
      { sequence: anchor.sequence },
      "the audit trail is not the one that the cluster has witnessed",
    );
    this.#admit(anchorMismatch(anchor, found));
    if (chain.head.sequence > anchor.sequence) return;
    // Sequences that were used once are not used again, or two records would have one name.
    this.#beginAnew(chain, "records that the cluster witnessed are missing here", anchor.sequence);
  }

  #fileTampered(file: string): void {
    this.#parts.logger.error({ file }, "an audit file was changed from outside");
    this.#admit(fileTampered(file));
  }

  #fileFailed(error: Error): void {
    this.#parts.logger.error({ err: error }, "the audit trail can not be written");
    this.#admit(writingFailed(error));
  }

  #beginAnew(chain: Chain, reason: string, sequence: number): void {
    const before = chain.head;
    chain.restart(newChainId(), sequence);
    this.#admit(chainStarted(reason, before));
  }
}
