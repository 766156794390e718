/**
 * The body of a snapshot by blocks of `snapshotBlockBytes`: on its way into the file, in pieces of any size, and back.
 * A block has a checksum of what is stored, and where the snapshot is encrypted a tag that proves it.
 */
import type { CipherGCM } from "node:crypto";
import { crc32 } from "node:zlib";
import { tagBytes } from "./aead.ts";
import { damaged, notAuthentic } from "./errors.ts";
import type { SnapshotCipher } from "./snapshot-cipher.ts";
import { snapshotBlockBytes } from "./snapshot-format.ts";

/** What tells whether the blocks of a body are right. */
export interface BlockProofs {
  readonly checksums: readonly number[];
  /** One behind the other; null when the snapshot is not encrypted. */
  readonly tags: Uint8Array | null;
}

/** What is needed to read blocks of a finished snapshot. */
export interface ReadableBody {
  readonly path: string;
  readonly bodyAt: number;
  readonly blocks: BlockProofs;
  readonly cipher: SnapshotCipher | null;
}

/** Takes a body in pieces, gives what is to be stored, and collects the proofs. */
export class BlockWriter {
  readonly #cipher: SnapshotCipher | null;
  readonly #checksums: number[] = [];
  readonly #tags: Uint8Array[] = [];
  #current: CipherGCM | null = null;
  #checksum = 0;
  #blockBytes = 0;

  constructor(cipher: SnapshotCipher | null) {
    this.#cipher = cipher;
  }

  /** The bytes to store, as many as were given: these themselves without encryption. */
  add(bytes: Uint8Array): Uint8Array {
    const stored = this.#cipher === null ? bytes : new Uint8Array(bytes.length);
    let at = 0;
    while (at < bytes.length) {
      const end = Math.min(bytes.length, at + snapshotBlockBytes - this.#blockBytes);
      this.#encrypt(bytes.subarray(at, end), stored, at);
      this.#checksum = crc32(stored.subarray(at, end), this.#checksum);
      this.#blockBytes += end - at;
      at = end;
      if (this.#blockBytes === snapshotBlockBytes) {
        this.#finishBlock();
      }
    }
    return stored;
  }

  /** The proofs of all blocks, a last short one included. Nothing can be added afterwards. */
  finish(): BlockProofs {
    if (this.#blockBytes > 0) {
      this.#finishBlock();
    }
    const tags = this.#cipher === null ? null : new Uint8Array(Buffer.concat(this.#tags));
    return { checksums: this.#checksums, tags };
  }

  #encrypt(piece: Uint8Array, into: Uint8Array, at: number): void {
    if (this.#cipher !== null) {
      const number = this.#checksums.length;
      this.#current ??= this.#cipher.beginBlock(number, number * snapshotBlockBytes);
      into.set(this.#current.update(piece), at);
    }
  }

  #finishBlock(): void {
    this.#checksums.push(this.#checksum);
    if (this.#current !== null) {
      this.#current.final();
      this.#tags.push(this.#current.getAuthTag());
      this.#current = null;
    }
    this.#checksum = 0;
    this.#blockBytes = 0;
  }
}

/** A block in the clear, from what is stored. Throws `damaged`, naming file and offset. */
export function openBlock(body: ReadableBody, number: number, stored: Uint8Array): Uint8Array {
  const position = number * snapshotBlockBytes;
  const place = { file: body.path, offsetBytes: body.bodyAt + position };
  if (crc32(stored) !== body.blocks.checksums[number]) {
    throw damaged("A block of this snapshot does not match its checksum", place);
  }
  if (body.cipher === null || body.blocks.tags === null) {
    return stored;
  }
  const sealed = new Uint8Array(stored.length + tagBytes);
  sealed.set(stored, 0);
  const tagAt = number * tagBytes;
  sealed.set(body.blocks.tags.subarray(tagAt, tagAt + tagBytes), stored.length);
  const plain = body.cipher.openBlock(number, position, sealed);
  if (plain === null) {
    throw notAuthentic(`Block ${number} of this snapshot`, place);
  }
  return plain;
}
