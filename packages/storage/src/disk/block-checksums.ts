/** Checksums of a body that arrives in pieces of any size: one for each `snapshotBlockBytes`. */
import { crc32 } from "node:zlib";
import { snapshotBlockBytes } from "./snapshot-format.ts";

export class BlockChecksums {
  readonly #whole: number[] = [];
  #current = 0;
  #currentBytes = 0;

  add(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const length = Math.min(bytes.length - at, snapshotBlockBytes - this.#currentBytes);
      this.#current = crc32(bytes.subarray(at, at + length), this.#current);
      this.#currentBytes += length;
      at += length;
      if (this.#currentBytes === snapshotBlockBytes) {
        this.#whole.push(this.#current);
        this.#current = 0;
        this.#currentBytes = 0;
      }
    }
  }

  /** The checksums of all blocks, a last short one included. */
  all(): number[] {
    return this.#currentBytes > 0 ? [...this.#whole, this.#current] : [...this.#whole];
  }
}
