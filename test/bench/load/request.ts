import type { LoadJob } from "./job.ts";

const KEY_PREFIX = "key:";
const KEY_DIGITS = 12;

/**
 * The bytes of one unit: `pipeline` commands, and WAIT where the job wants it.
 *
 *     *3 $3 SET $16 key:000000012345 $64 xxxx...   (pipeline times)
 *     *3 $4 WAIT $1 1 $5 10000                      (setWait)
 *
 * Only the twelve digits of each key change from unit to unit; they are written in place. That is
 * safe because a connection sends its next unit after the last reply to this one, when the bytes
 * have long left the process.
 */
export class RequestUnit {
  readonly bytes: Buffer;
  readonly replyCount: number;
  readonly operations: number;
  readonly #digitOffsets: readonly number[];

  constructor(job: LoadJob) {
    const parts: Buffer[] = [];
    const offsets: number[] = [];
    const value = "x".repeat(job.valueBytes);
    let at = 0;
    for (let index = 0; index < job.pipeline; index++) {
      const head = job.kind === "get" ? command("GET") : command("SET", 3);
      const key = bulk(`${KEY_PREFIX}${"0".repeat(KEY_DIGITS)}`);
      const tail = job.kind === "get" ? "" : bulk(value);
      offsets.push(at + head.length + key.indexOf(KEY_PREFIX) + KEY_PREFIX.length);
      const part = Buffer.from(head + key + tail, "latin1");
      parts.push(part);
      at += part.length;
    }
    if (job.kind === "setWait") {
      parts.push(Buffer.from(command("WAIT", 3) + bulk("1") + bulk("10000"), "latin1"));
    }
    this.bytes = Buffer.concat(parts);
    this.replyCount = parts.length;
    this.operations = job.pipeline;
    this.#digitOffsets = offsets;
  }

  /** Gives command `index` of the unit another key. */
  setKey(index: number, key: number): void {
    const first = this.#digitOffsets[index];
    let rest = key;
    for (let at = first + KEY_DIGITS - 1; at >= first; at--) {
      this.bytes[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }
}

function command(name: string, argumentCount: number = 2): string {
  return `*${argumentCount}\r\n${bulk(name)}`;
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}
