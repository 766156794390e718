/** What a simulated node has handed to its log, entry by entry, without the bytes. */
import type { Entry } from "@ferrite/raft";
import { crc32 } from "node:zlib";
import type { EntryMark, LogMirror } from "../invariants/observer.ts";

export class Mirror implements LogMirror {
  readonly marks: Map<number, EntryMark> = new Map();
  lastIndex = 0;
  baseIndex = 0;

  markOf(entry: Entry): EntryMark {
    const previous = this.marks.get(entry.index - 1)?.term ?? (entry.index === 1 ? 0 : -1);
    const { term, kind, data } = entry;
    return { term, kind, sum: crc32(data, kind), previousTerm: previous };
  }

  write(entry: Entry): EntryMark {
    const mark = this.markOf(entry);
    for (let index = entry.index; index <= this.lastIndex; index++) this.marks.delete(index);
    this.marks.set(entry.index, mark);
    this.lastIndex = entry.index;
    return mark;
  }

  reset(index: number): void {
    this.marks.clear();
    this.lastIndex = index;
    this.baseIndex = index;
  }
}
