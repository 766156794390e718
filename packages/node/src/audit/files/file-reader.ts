/** Reads records back from the files of a running trail: those that are not in memory any more. */
import { LINE_BYTES_MAX, PAGE_BYTES_MAX } from "../limits.ts";
import { sequenceOfLine } from "../record.ts";
import type { AuditFile, AuditFileSystem } from "./audit-file-system.ts";
import { trailFiles } from "./file-names.ts";

const NEWLINE = 0x0a;

export class FileReader {
  readonly #fileSystem: AuditFileSystem;
  readonly #directory: string;

  constructor(fileSystem: AuditFileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
  }

  /** The oldest lines (with their ends) above `after`: at most `count`, and at most PAGE_BYTES_MAX after the first. */
  async above(after: number, count: number): Promise<Buffer[]> {
    const files = trailFiles(await this.#fileSystem.list(this.#directory));
    const lines: Buffer[] = [];
    let bytes = 0;
    for (const [at, { name }] of files.entries()) {
      const next = files[at + 1];
      if (next !== undefined && next.firstSequence <= after + 1) continue;
      for (const line of await this.#readFile(name, after, count - lines.length)) {
        if (lines.length > 0 && bytes + line.length > PAGE_BYTES_MAX) return lines;
        lines.push(line);
        bytes += line.length;
      }
      if (lines.length >= count || bytes >= PAGE_BYTES_MAX) break;
    }
    return lines;
  }

  async #readFile(name: string, after: number, count: number): Promise<Buffer[]> {
    let file: AuditFile;
    try {
      file = await this.#fileSystem.open(`${this.#directory}/${name}`, "read");
    } catch (error) {
      // Retention may have removed it since the list was made.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
    try {
      return await this.#linesFrom(file, after, { start: await findStart(file, after), count });
    } finally {
      await file.close();
    }
  }

  async #linesFrom(
    file: AuditFile,
    after: number,
    from: { readonly start: number; readonly count: number },
  ): Promise<Buffer[]> {
    const lines: Buffer[] = [];
    // At least one whole line, and a page of short ones.
    const block = Buffer.alloc(PAGE_BYTES_MAX + LINE_BYTES_MAX);
    let position = from.start;
    let bytes = 0;
    while (lines.length < from.count && bytes < PAGE_BYTES_MAX) {
      const read = block.subarray(0, await file.read(block, position));
      const end = read.lastIndexOf(NEWLINE);
      if (end < 0) break;
      for (const line of splitLines(read.subarray(0, end + 1))) {
        if ((sequenceOfLine(line) ?? 0) <= after) continue;
        if (lines.length === from.count || bytes >= PAGE_BYTES_MAX) break;
        lines.push(Buffer.from(line));
        bytes += line.length;
      }
      position += end + 1;
    }
    return lines;
  }
}

/**
 * Where to begin to read for records above `after`: bisected, because a file can be a gigabyte and its lines are in
 * order. At most one block before the first such record.
 */
async function findStart(file: AuditFile, after: number): Promise<number> {
  const block = Buffer.alloc(LINE_BYTES_MAX + 64);
  let low = 0;
  let high = await file.sizeBytes();
  while (high - low > PAGE_BYTES_MAX / 2) {
    const middle = Math.floor((low + high) / 2);
    const read = block.subarray(0, await file.read(block, middle));
    const start = read.indexOf(NEWLINE) + 1;
    const sequence = start === 0 ? null : sequenceOfLine(read.subarray(start));
    if (sequence === null || sequence > after) high = middle;
    else low = middle + start;
  }
  return low;
}

/** Each with its end. */
function* splitLines(bytes: Buffer): Generator<Buffer> {
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    yield bytes.subarray(start, end + 1);
    start = end + 1;
  }
}
