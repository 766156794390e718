/**
 * The log on disk: segments behind each other, one record per sync. Synchronous, on the `FileSystem` port: in
 * production on the log's worker thread, in the simulator on a virtual disk.
 *
 * `append` only collects; `sync` writes what was collected as one record and makes it durable. Two rules recovery
 * builds on: a record is written only after the one before it is durable, and only over durable zeros.
 *
 * Errors: `noSpace` leaves everything as it was, call again later. Any other error is final.
 */
import type { HardState, Index, Term } from "@ferrite/raft";
import { ActiveSegment } from "./active-segment.ts";
import { tagBytes } from "./aead.ts";
import type { AtRestKeys } from "./at-rest-keys.ts";
import { entriesSizeBytes, writeEntries } from "./entry-codec.ts";
import type { EncodedEntries } from "./entry-codec.ts";
import { StorageError } from "./errors.ts";
import type { FileSystem } from "./file-system.ts";
import { checkAtRestKeys } from "./file-envelope.ts";
import { hardStateBytesMax } from "./hard-state-codec.ts";
import { openLogDirectory, removeSegment, segmentEnvelope } from "./log-opening.ts";
import { logRandomOf, segmentBytesOf, voteFileOptions } from "./log-options.ts";
import type { LogOptions, LogRandom } from "./log-options.ts";
import type { KnownSegment, LogPosition } from "./log-recovery.ts";
import type { LogWrite, RecoveredLog } from "./ports.ts";
import { RecordBuilder } from "./record-builder.ts";
import { recordBodyBytesMax, sealExtentBytes } from "./record-format.ts";
import { segmentFileName, segmentHeaderBytes } from "./segment-format.ts";
import { SegmentReserve } from "./segment-reserve.ts";
import { VoteFile } from "./vote-file.ts";

/** Sizes of segments for a single large record are rounded up to this. */
const pageBytes = 4096;
/** Writes are collected into records of at most this part of a segment, so that little of its end is wasted. */
const recordsPerSegmentMin = 4;
/** How much faster than the second half of the active segment fills the next one is reserved. */
const reserveLead = 1.5;
/** Longest body of entries in one write. */
const entryBytesMax: number = recordBodyBytesMax - hardStateBytesMax - tagBytes;

export class SegmentedLog {
  readonly #fileSystem: FileSystem;
  readonly #options: LogOptions;
  readonly #segmentBytes: number;
  readonly #random: LogRandom;
  #keys: AtRestKeys | null;
  /** Oldest first; the last one is `#active`. */
  readonly #segments: KnownSegment[];
  #active: ActiveSegment;
  #reserve: SegmentReserve;
  /** Last index, collected entries included. */
  #lastIndex: Index;
  /** What the written records hold. */
  #durable: { readonly index: Index; readonly term: Term; readonly hardState: HardState | null };
  /** Records to be written, oldest first; the last one is being filled. Never empty. */
  readonly #builders: RecordBuilder[];
  readonly #votes: VoteFile | null;
  #rollWanted = false;
  #state: "open" | "failed" | "closed" = "open";

  /** Opens the log of a directory, or makes a new one. Throws `StorageError`. */
  static open(
    fileSystem: FileSystem,
    options: LogOptions,
  ): { readonly log: SegmentedLog; readonly recovered: RecoveredLog } {
    if (options.encryption) {
      checkAtRestKeys(options.encryption);
    }
    const opened = openLogDirectory(fileSystem, options, logRandomOf(options));
    const log = SegmentedLog.resume(fileSystem, options, opened.position);
    if (opened.beginAnewAt !== null) {
      log.reset(opened.beginAnewAt);
    }
    return { log, recovered: opened.recovered };
  }

  /** Goes on where `position` (from `suspend`) says, without reading the log again. */
  static resume(fileSystem: FileSystem, options: LogOptions, position: LogPosition): SegmentedLog {
    return new SegmentedLog(fileSystem, options, position);
  }

  private constructor(fileSystem: FileSystem, options: LogOptions, position: LogPosition) {
    const number = position.active.number;
    const path = `${options.directory}/${segmentFileName(number)}`;
    this.#fileSystem = fileSystem;
    this.#options = options;
    this.#segmentBytes = segmentBytesOf(options);
    this.#random = logRandomOf(options);
    this.#keys = options.encryption ?? null;
    this.#segments = [...position.segments];
    const handle = fileSystem.open(path, "readWrite");
    this.#active = new ActiveSegment(handle, position.active, this.#random.bytes);
    this.#reserve = new SegmentReserve(fileSystem, options.directory, number + 1);
    this.#lastIndex = position.lastIndex;
    this.#durable = {
      index: position.lastIndex,
      term: position.lastTerm,
      hardState: position.hardState,
    };
    this.#builders = [new RecordBuilder(position.hardState)];
    const votes = voteFileOptions(options);
    this.#votes = votes === null ? null : VoteFile.resume(fileSystem, votes);
  }

  /** Highest index of the log, entries that are not durable yet included. */
  get lastIndex(): Index {
    return this.#lastIndex;
  }

  /** Segments that hold records or the place for the next one; the reserved one not counted. */
  get segmentCount(): number {
    return this.#segments.length;
  }

  /**
   * Takes a write; `sync` makes it durable. When its first index is inside the log, the log is cut from there.
   *
   * Throws `logGap` or `limitExceeded`; then nothing was taken.
   */
  append(write: LogWrite): void {
    this.#checkOpen();
    const { entries, hardState } = write;
    const first = entries[0];
    if (first !== undefined) {
      const sizeBytes = entriesSizeBytes(entries);
      const builder = this.#builderFor(first.index, sizeBytes);
      writeEntries(builder.reserve(sizeBytes), builder.entriesAt, entries);
      this.#added(builder, {
        firstIndex: first.index,
        count: entries.length,
        lastTerm: entries.at(-1)!.term,
        sizeBytes,
      });
    }
    if (hardState !== null) {
      this.#current().setHardState(hardState);
    }
  }

  /** `append` for entries that were encoded elsewhere; their bytes are copied. */
  appendEncoded(hardState: HardState | null, entries: EncodedEntries | null): void {
    this.#checkOpen();
    if (entries !== null) {
      const sizeBytes = entries.bytes.length;
      const builder = this.#builderFor(entries.firstIndex, sizeBytes);
      builder.reserve(sizeBytes).set(entries.bytes, builder.entriesAt);
      this.#added(builder, { ...entries, sizeBytes });
    }
    if (hardState !== null) {
      this.#current().setHardState(hardState);
    }
  }

  /** Makes durable what was taken, usually with one write and one fdatasync. */
  sync(): void {
    this.#guarded(() => {
      let builder = this.#builders[0];
      while (builder.hasContent) {
        this.#writeRecord(builder);
        if (this.#builders.length > 1) {
          this.#builders.shift();
          builder = this.#builders[0]!;
        } else {
          builder.clear();
        }
      }
    });
  }

  /**
   * Segments that begin from now on are encrypted with these. The one being written goes on as it is, unless it is not
   * encrypted: then the next record begins a new one. Throws `limitExceeded` when a key can not be used.
   */
  useKeys(keys: AtRestKeys): void {
    checkAtRestKeys(keys);
    this.#keys = keys;
    this.#guarded(() => this.#votes?.useKeys(keys));
  }

  /** Asks for a new segment, and so for a new data key: `prepare` begins it once it has reserved the space. */
  roll(): void {
    this.#rollWanted = true;
  }

  /** Whether a roll that was asked for is still to come: `prepare` has to be called until it is not. */
  get isRolling(): boolean {
    return this.#rollWanted;
  }

  /**
   * Reserves a slice of the next segment when it is time for one. True when another slice is due. To be called after
   * writes, so that the next segment is there when it is needed. Carries out a roll. Throws `noSpace`.
   */
  prepare(): boolean {
    return this.#guarded(() => {
      if (this.#reserve.reservedBytes < this.#reserveDueBytes()) {
        this.#reserve.step(this.#segmentBytes);
      }
      const isDue = this.#reserve.reservedBytes < this.#reserveDueBytes();
      if (this.#rollWanted && !isDue) {
        this.#roll(this.#segmentBytes);
        return false;
      }
      return isDue;
    });
  }

  /** Removes segments that hold only entries up to `index`. The one being written stays. */
  compact(index: Index): void {
    this.#guarded(() => {
      while (this.#segments.length > 1 && this.#segments[0].lastIndex <= index) {
        removeSegment(this.#fileSystem, this.#options.directory, this.#segments[0].number);
        this.#segments.shift();
      }
    });
  }

  /** Begins anew behind `position`: durably, everything before is void. Writes taken before are made durable first. */
  reset(position: { readonly index: Index; readonly term: Term }): void {
    this.sync();
    this.#guarded(() => {
      const previous = this.#active;
      this.#beginSegment(this.#segmentBytes, { ...position, beginsAnew: true });
      previous.close();
      while (this.#segments.length > 1) {
        removeSegment(this.#fileSystem, this.#options.directory, this.#segments[0].number);
        this.#segments.shift();
      }
      this.#lastIndex = position.index;
      this.#durable = { ...this.#durable, ...position };
    });
  }

  /** Closes the files. Writes that were taken and not synced are dropped. */
  close(): void {
    if (this.#state !== "closed") {
      this.#state = "closed";
      this.#active.close();
      this.#reserve.close();
      this.#votes?.close();
    }
  }

  /** Closes the files and says where to go on. Nothing may be waiting for `sync`. */
  suspend(): LogPosition {
    this.sync();
    const position: LogPosition = {
      segments: [...this.#segments],
      active: this.#active.end,
      lastIndex: this.#durable.index,
      lastTerm: this.#durable.term,
      hardState: this.#durable.hardState,
    };
    this.close();
    return position;
  }

  #current(): RecordBuilder {
    return this.#builders.at(-1)!;
  }

  /** The record that takes `sizeBytes` of entries from `index` on. A record's entries follow each other. */
  #builderFor(index: Index, sizeBytes: number): RecordBuilder {
    if (index < 1 || index > this.#lastIndex + 1) {
      throw new StorageError(
        "logGap",
        `An entry with index ${index} can not follow index ${this.#lastIndex}`,
      );
    }
    if (sizeBytes > entryBytesMax) {
      throw new StorageError(
        "limitExceeded",
        `One write to the log has ${sizeBytes} bytes; at most ${entryBytesMax} are allowed`,
      );
    }
    const current = this.#current();
    const recordBytesMax = this.#segmentBytes / recordsPerSegmentMin;
    const fits =
      current.entryCount === 0 ||
      (current.continuesAt(index) && current.entryBytes + sizeBytes <= recordBytesMax);
    if (fits) {
      return current;
    }
    const next = new RecordBuilder(current.hardState);
    this.#builders.push(next);
    return next;
  }

  #added(
    builder: RecordBuilder,
    entries: {
      readonly firstIndex: Index;
      readonly count: number;
      readonly lastTerm: Term;
      readonly sizeBytes: number;
    },
  ): void {
    builder.add(entries);
    this.#lastIndex = entries.firstIndex + entries.count - 1;
  }

  #writeRecord(builder: RecordBuilder): void {
    const isEncrypted = this.#keys !== null;
    if (!this.#active.fits(builder) || this.#active.isEncrypted !== isEncrypted) {
      const neededBytes = segmentHeaderBytes + builder.extentBytes(isEncrypted) + sealExtentBytes;
      const pages = Math.ceil(neededBytes / pageBytes);
      this.#roll(Math.max(this.#segmentBytes, pages * pageBytes));
    }
    if (builder.hardState !== null) {
      this.#votes?.note(builder.hardState);
    }
    this.#active.write(builder);
    let index = this.#durable.index;
    let term = this.#durable.term;
    if (builder.entryCount > 0) {
      index = builder.firstIndex + builder.entryCount - 1;
      term = builder.lastTerm;
      const known = this.#segments.pop()!;
      this.#segments.push({ ...known, lastIndex: Math.max(known.lastIndex, index) });
    }
    this.#durable = { index, term, hardState: builder.hardState };
  }

  #roll(sizeBytes: number): void {
    const previous = this.#active;
    this.#beginSegment(sizeBytes, { ...this.#durable, beginsAnew: false });
    previous.seal();
  }

  /** Reserves what is missing of the next segment, then begins it. Throws `noSpace` before anything has changed. */
  #beginSegment(
    sizeBytes: number,
    base: { readonly index: Index; readonly term: Term; readonly beginsAnew: boolean },
  ): void {
    let reserved = false;
    while (!reserved) {
      reserved = this.#reserve.step(sizeBytes);
    }
    const end = this.#active.end;
    const number = end.number + 1;
    const reservedBytes = this.#reserve.reservedBytes;
    this.#active = ActiveSegment.begin(
      this.#reserve.take(),
      {
        number,
        sizeBytes: reservedBytes,
        clusterId: this.#options.clusterId,
        groupId: this.#options.groupId,
        // The sequence between belongs to the seal of the segment before.
        firstSequence: end.sequence + 2,
        baseIndex: base.index,
        baseTerm: base.term,
        salt: this.#random.salt(),
        beginsAnew: base.beginsAnew,
        hardState: this.#durable.hardState,
      },
      {
        previousChecksum: end.previousChecksum,
        envelope: segmentEnvelope(this.#options, number, {
          keys: this.#keys,
          randomBytes: this.#random.bytes,
        }),
        randomBytes: this.#random.bytes,
      },
    );
    this.#rollWanted = false;
    this.#segments.push({ number, lastIndex: base.index });
    this.#reserve = new SegmentReserve(this.#fileSystem, this.#options.directory, number + 1);
  }

  /** How much of the next segment should be reserved by now: nothing before the active one is half full. */
  #reserveDueBytes(): number {
    if (this.#rollWanted) {
      return this.#segmentBytes;
    }
    const half = this.#active.sizeBytes / 2;
    const progress = Math.max(0, this.#active.endBytes - half) / half;
    return this.#segmentBytes * Math.min(1, progress * reserveLead);
  }

  #checkOpen(): void {
    if (this.#state !== "open") {
      throw new StorageError("closed", `The log in ${this.#options.directory} is ${this.#state}`);
    }
  }

  /** After any error but a lack of space the log takes nothing more: what the kernel kept is not known. */
  #guarded<T>(action: () => T): T {
    this.#checkOpen();
    try {
      return action();
    } catch (error) {
      if (error instanceof StorageError && error.code === "noSpace") {
        throw error;
      }
      this.#state = "failed";
      throw new StorageError(
        "deviceFailed",
        `The log in ${this.#options.directory} can not be written any more (${describe(error)}). The node must stop; ` +
          `check the disk, then start it again`,
        { cause: error },
      );
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
