/**
 * A running hash over everything that happened: two runs of one seed must have the same. Millions of things happen, so that
 * numbers are mixed as numbers and bytes as bytes; words are only made for somebody who reads them.
 */
import { crc32 } from "node:zlib";

export class TraceHash {
  #high = 0x9e3779b9;
  #low = 0;
  #events = 0;

  /** Something that is told in words. */
  line(timeMs: number, line: string): void {
    this.#low = crc32(line, this.#low);
    this.event(timeMs, line.length);
  }

  /** Bytes that arrived somewhere. */
  bytes(timeMs: number, place: number, bytes: Uint8Array): void {
    this.#low = crc32(bytes, this.#low);
    this.event(timeMs, place);
  }

  /** Something that two numbers tell. */
  event(timeMs: number, what: number, which = 0): void {
    this.#events++;
    this.#mix(Math.round(timeMs * 1000));
    this.#mix(what);
    this.#mix(which);
    this.#mix(this.#low);
  }

  digest(): string {
    const hash = ((this.#high ^ (this.#high >>> 15)) >>> 0).toString(16).padStart(8, "0");
    return `${this.#events}-${hash}${(this.#low >>> 0).toString(16).padStart(8, "0")}`;
  }

  #mix(value: number): void {
    const turned = Math.imul(this.#high ^ (value | 0), 0x85ebca6b);
    this.#high = ((turned << 13) | (turned >>> 19)) + Math.floor(value / 0x100000000);
  }
}
