/** A running hash over everything that happened: two runs of one seed must have the same. */
import { crc32 } from "node:zlib";

export class TraceHash {
  #low = 0;
  #lines = 0;

  add(timeMs: number, line: string): void {
    this.#low = crc32(`${timeMs} ${line}`, this.#low);
    this.#lines++;
  }

  digest(): string {
    return `${this.#lines}-${this.#low.toString(16).padStart(8, "0")}`;
  }
}
