/**
 * Encrypts and opens the parts of one snapshot under its data key. Each part has a nonce of its own, and a file is
 * written once, from its beginning to its end, under a key that no other file has (a snapshot that is tried again is
 * another file):
 *
 *    nonce (12):  what u32: 1 meta, 2 block, 3 end | number of the block u64
 *    AAD meta:    the file's context | the header in front of it
 *    AAD block:   the file's context | its number u64 | its position in the body u64
 *    AAD end:     the file's context | header checksum u32 | size of the body u64 | checksums and tags of all blocks
 *
 * The end has no bytes of its own, only the tag: it proves how many blocks there are and which.
 */
import type { CipherGCM } from "node:crypto";
import { beginEncryption, nonceBytes, seal, unseal } from "./aead.ts";
import type { AeadParameters } from "./aead.ts";
import type { FileKey } from "./file-envelope.ts";
import { writeU32, writeU64 } from "./little-endian.ts";

const metaPart = 1;
const blockPart = 2;
const endPart = 3;

const noBytes: Uint8Array = new Uint8Array(0);

/** What the end of a snapshot proves. */
export interface SnapshotEndProof {
  readonly headerChecksum: number;
  readonly bodyBytes: number;
  /** Checksums and tags of all blocks, as they stand in the file. */
  readonly table: Uint8Array;
}

export class SnapshotCipher {
  readonly #key: FileKey;

  constructor(key: FileKey) {
    this.#key = key;
  }

  /** Ciphertext and tag of the meta behind `header`. */
  sealMeta(header: Uint8Array, meta: Uint8Array): Uint8Array {
    return seal(this.#parameters(metaPart, 0, header), meta);
  }

  /** Null when the tag does not prove it. */
  openMeta(header: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    return unseal(this.#parameters(metaPart, 0, header), sealed);
  }

  /** Encrypts one block in pieces; its tag is known when it is complete. To be called once for a number. */
  beginBlock(number: number, position: number): CipherGCM {
    return beginEncryption(this.#block(number, position));
  }

  /** `sealed` is ciphertext and tag. Null when the tag does not prove it. */
  openBlock(number: number, position: number, sealed: Uint8Array): Uint8Array | null {
    return unseal(this.#block(number, position), sealed);
  }

  sealEnd(proof: SnapshotEndProof): Uint8Array {
    return seal(this.#end(proof), noBytes);
  }

  isEnd(proof: SnapshotEndProof, tag: Uint8Array): boolean {
    return unseal(this.#end(proof), tag) !== null;
  }

  #block(number: number, position: number): AeadParameters {
    const place = new Uint8Array(16);
    writeU64(place, 0, number);
    writeU64(place, 8, position);
    return this.#parameters(blockPart, number, place);
  }

  #end(proof: SnapshotEndProof): AeadParameters {
    const covered = new Uint8Array(12 + proof.table.length);
    writeU32(covered, 0, proof.headerChecksum);
    writeU64(covered, 4, proof.bodyBytes);
    covered.set(proof.table, 12);
    return this.#parameters(endPart, 0, covered);
  }

  #parameters(part: number, number: number, covered: Uint8Array): AeadParameters {
    const nonce = new Uint8Array(nonceBytes);
    writeU32(nonce, 0, part);
    writeU64(nonce, 4, number);
    const { bytes: key, context } = this.#key;
    const aad = new Uint8Array(context.length + covered.length);
    aad.set(context, 0);
    aad.set(covered, context.length);
    return { key, nonce, aad };
  }
}
