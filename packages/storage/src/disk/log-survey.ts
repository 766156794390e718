/**
 * Reads a log that recovery refuses, and tells what can still be known of it (R42, R58). Where recovery stops at the
 * first thing that is wrong, this goes on behind it: the whole records there say where the log ended and whom the node
 * has voted for, although the entries between can not be had from this disk any more. It changes nothing.
 *
 *      record 1   record 2   record 3   record 4   record 5
 *      |  whole  |  whole  | damaged  |  whole   |  whole  |
 *      |<-- the run ------>|  gap                |<- where the log ended, and its newest vote
 *
 * A *run* is a stretch of entries behind the snapshot without a gap. After a gap a new one begins only with a record
 * that leaves nothing between itself and the snapshot, because a record that is lost may have cut the log and written
 * other entries: what comes after does not simply continue what came before.
 */
import type { Entry, HardState, Index, LogPosition, Term } from "@ferrite/raft";
import { lastTermOf, readEntries } from "./entry-codec.ts";
import type { StorageErrorPlace } from "./errors.ts";
import type { FileSystem } from "./file-system.ts";
import { decodeHardState } from "./hard-state-codec.ts";
import type { LogOptions } from "./log-options.ts";
import type { RecordHeader } from "./record-format.ts";
import { surveySegments } from "./segment-survey.ts";
import type { SegmentFinding } from "./segment-survey.ts";
import type { OpenedSegmentHeader } from "./segment-format.ts";

/** Something on the disk that is not what was written. */
export interface Damage extends StorageErrorPlace {
  readonly reason: string;
}

/** Entries behind the snapshot without a gap, as the log was at some time. */
export interface Run {
  readonly entries: readonly Entry[];
  readonly last: LogPosition;
  /** As the hard state said it then: entries up to here are never overwritten. */
  readonly commit: Index;
  /** It knows the snapshot's last entry as another one: it is of a history that was never committed. */
  readonly contradictsSnapshot: boolean;
}

export interface LogSurvey {
  /** Numbers of all segments, oldest first. */
  readonly segments: readonly number[];
  /** In the order they were met; empty when the log is whole. */
  readonly damages: readonly Damage[];
  /** The newest run there is. Null when none reaches back to the snapshot. */
  readonly run: Run | null;
  /** The run is the whole log: what is damaged lies before the snapshot. */
  readonly isWhole: boolean;
  /** Where the log ended; null is what the lost records would have told. */
  readonly last: { readonly index: Index | null; readonly term: Term | null };
  /** The newest hard state; undefined when the records that told it are lost. */
  readonly hardState: HardState | null | undefined;
}

/**
 * Throws `StorageError` for what is no damage: `foreignCluster`, `foreignGroup`, `unknownVersion`, `encrypted`,
 * `notEncrypted`, `missingKey`, `wrongKey`.
 */
export function surveyLog(fileSystem: FileSystem, options: LogOptions): LogSurvey {
  const surveyor = new Surveyor(options.after ?? { index: 0, term: 0 });
  const segments = surveySegments(fileSystem, options, (finding) => surveyor.take(finding));
  return surveyor.result(segments);
}

interface OpenRun {
  readonly entries: Entry[];
  lastIndex: Index;
  lastTerm: Term;
  commit: Index;
  /** Of the entry at the snapshot's index; null when the run does not have it. */
  termAtAfter: Term | null;
}

const unknownEnd: LogSurvey["last"] = { index: null, term: null };

class Surveyor {
  readonly #after: LogPosition;
  readonly #damages: Damage[] = [];
  /** What is being read, while it has no gap. */
  #run: OpenRun | null = null;
  /** The newest run that a gap has ended. */
  #endedRun: Run | null = null;
  #last: LogSurvey["last"] = unknownEnd;
  #hardState: HardState | null | undefined = undefined;
  /** Nothing at all was read yet. */
  #isFirst = true;

  constructor(after: LogPosition) {
    this.#after = after;
  }

  take(finding: SegmentFinding): void {
    switch (finding.kind) {
      case "segment":
        this.#segment(finding.header);
        return;
      case "record":
        this.#record(finding.header, finding.body, finding.place);
        return;
      case "gap":
        this.#gap(finding.damage, finding.header);
        return;
    }
  }

  result(segments: readonly number[]): LogSurvey {
    if (this.#isFirst && this.#damages.length === 0) {
      // No log at all, where a snapshot says that there was one.
      this.#lose(null);
    }
    const open = this.#run === null ? null : this.#closed(this.#run);
    return {
      segments,
      damages: this.#damages,
      run: open ?? this.#endedRun,
      isWhole: open !== null,
      last: this.#last,
      hardState: this.#hardState,
    };
  }

  #segment(header: OpenedSegmentHeader): void {
    const { baseIndex, baseTerm, beginsAnew } = header;
    if (beginsAnew) {
      this.#run = null;
      this.#endedRun = null;
    }
    const continues = this.#run !== null && this.#run.lastIndex === baseIndex;
    if (!continues) {
      this.#endRun();
      // Everything the log held then lies at or before its base.
      if (baseIndex <= this.#after.index) {
        this.#run = newRun({ index: baseIndex, term: baseTerm }, this.#after);
      }
    }
    this.#isFirst = false;
    this.#last = { index: baseIndex, term: baseTerm };
    this.#noteHardState(header.hardState);
  }

  #record(header: RecordHeader, body: Uint8Array, place: StorageErrorPlace): void {
    const entriesEnd = body.length - header.hardStateBytes;
    const hardState = entriesEnd < 0 ? undefined : decodeHardState(body.subarray(entriesEnd));
    const entries = body.subarray(0, Math.max(0, entriesEnd));
    const lastTerm = lastTermOf(entries, header.entryCount);
    const isReadable =
      hardState !== undefined && (lastTerm !== -1 || entries.length + header.entryCount === 0);
    if (!isReadable) {
      this.#gap({ ...place, reason: "a log record can not be read" }, header);
      return;
    }
    if (header.entryCount > 0) {
      this.#entries(header, entries, lastTerm);
    }
    this.#noteHardState(hardState ?? this.#hardState ?? null);
  }

  #entries(header: RecordHeader, bytes: Uint8Array, lastTerm: Term): void {
    const { firstIndex, entryCount } = header;
    if (this.#run === null && firstIndex <= this.#after.index + 1) {
      this.#run = newRun({ index: firstIndex - 1, term: 0 }, null);
    }
    const run = this.#run;
    if (run !== null) {
      const { index: afterIndex } = this.#after;
      run.entries.length = Math.max(0, Math.min(run.entries.length, firstIndex - afterIndex - 1));
      if (firstIndex <= afterIndex) {
        run.termAtAfter = null;
      }
      // A copy: views of the whole segment would keep all of it in memory.
      readEntries(bytes.slice(), { index: firstIndex, count: entryCount }, (entry) => {
        if (entry.index > afterIndex) {
          run.entries.push(entry);
        } else if (entry.index === afterIndex) {
          run.termAtAfter = entry.term;
        }
      });
      run.lastIndex = firstIndex + entryCount - 1;
      run.lastTerm = lastTerm;
    }
    this.#last = { index: firstIndex + entryCount - 1, term: lastTerm };
  }

  #noteHardState(hardState: HardState | null): void {
    this.#hardState = hardState;
    if (this.#run !== null && hardState !== null) {
      this.#run.commit = hardState.commit;
    }
  }

  #gap(damage: Damage, header: RecordHeader | null): void {
    this.#damages.push(damage);
    this.#lose(header);
  }

  /** Records are lost. Of a single one the header may tell which entries it held. */
  #lose(header: RecordHeader | null): void {
    this.#endRun();
    if (header === null) {
      this.#last = unknownEnd;
    } else if (header.entryCount > 0) {
      this.#last = { index: header.firstIndex + header.entryCount - 1, term: null };
    }
    this.#hardState = undefined;
    this.#isFirst = false;
  }

  #endRun(): void {
    if (this.#run !== null) {
      this.#endedRun = this.#closed(this.#run);
      this.#run = null;
    }
  }

  #closed(run: OpenRun): Run {
    const { lastIndex: index, lastTerm: term, commit, termAtAfter } = run;
    const contradictsSnapshot = termAtAfter !== null && termAtAfter !== this.#after.term;
    return { entries: run.entries, last: { index, term }, commit, contradictsSnapshot };
  }
}

/** `after`: the snapshot, when the run may begin at it. */
function newRun(base: LogPosition, after: LogPosition | null): OpenRun {
  const termAtAfter = after?.index === base.index ? base.term : null;
  return { entries: [], lastIndex: base.index, lastTerm: base.term, commit: 0, termAtAfter };
}
