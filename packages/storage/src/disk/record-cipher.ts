/**
 * Encrypts and opens the bodies of log records. The tag stands behind the ciphertext, inside the body, so that the
 * body's checksum covers both and a torn write is judged without any key:
 *
 *    0        64                                       extent
 *    +--------+--------------------+----------+---- .. ----+----------+
 *    | header | entries, hard state| tag (16) | zeros      | end mark |
 *    +--------+--------------------+----------+---- .. ----+----------+
 *             |<---- encrypted --->|
 *             |<---------- bodySize --------->|
 *
 *    nonce (12): salt of this opening (8, first bit set) | low 32 bits of the record's sequence
 *    AAD:        the file's context (32) | header bytes 0..55, the body's checksum as zeros
 *
 * Why no nonce is used twice under one data key, which is one segment's. A record's sequence alone is not enough: a
 * write that a crash cut off is taken away, and its place and its sequence go to other bytes at the next start. So
 * each opening of a segment for writing draws a salt of 63 random bits. Within an opening sequences only grow (an
 * error of a write ends the log), and a segment has fewer than 2^32 records. Two openings would have to draw the same
 * salt and write the same sequence: one in 2^63 for each pair. A counter kept in the file would repeat when somebody
 * puts back an older copy of the disk; what is drawn does not. The header's nonce has its first bit clear
 * (segment-format.ts).
 */
import { createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { beginEncryption, nonceBytes, tagBytes, unseal } from "./aead.ts";
import type { FileKey } from "./file-envelope.ts";
import { fileContextBytes } from "./file-identity.ts";
import type { RandomBytes } from "./random-bytes.ts";
import { recordHeaderBytes } from "./record-format.ts";

/** Bytes of a record's header that the tag covers: all but its own checksum and end mark. */
const coveredHeaderBytes = 56;
const sequenceAt = 8;
const sequenceBytes = 4;
const bodyChecksumAt = 40;
const saltAt = 48;
const saltBytes = 8;
/** Long bodies are encrypted in pieces of this size: each is copied back while it is in the processor's cache. */
const pieceBytes: number = 128 * 1024;

/** Key, nonce and AAD of one record after another; the arrays are used again for each. */
class RecordParameters {
  readonly key: KeyObject;
  readonly nonce: Uint8Array = new Uint8Array(nonceBytes);
  readonly aad: Uint8Array = new Uint8Array(fileContextBytes + coveredHeaderBytes);

  constructor(key: FileKey) {
    this.key = createSecretKey(key.bytes);
    this.aad.set(key.context, 0);
  }

  /** Takes what a header says, which must be complete but for its checksums. */
  take(header: Uint8Array): this {
    this.aad.set(header.subarray(0, coveredHeaderBytes), fileContextBytes);
    this.aad.fill(0, fileContextBytes + bodyChecksumAt, fileContextBytes + bodyChecksumAt + 4);
    this.nonce.set(header.subarray(saltAt, saltAt + saltBytes), 0);
    this.nonce.set(header.subarray(sequenceAt, sequenceAt + sequenceBytes), saltBytes);
    return this;
  }
}

/** Encrypts the records that one opening of a segment writes. */
export class RecordSealer {
  readonly #parameters: RecordParameters;
  readonly #salt: Uint8Array;

  constructor(key: FileKey, randomBytes: RandomBytes) {
    this.#parameters = new RecordParameters(key);
    this.#salt = Uint8Array.from(randomBytes(saltBytes));
    this.#salt[0] |= 0x80;
  }

  /**
   * Encrypts the body of `bodyBytes` bytes in its place and puts the tag behind it. The header is complete but for the
   * salt, which this puts there, and the checksums.
   */
  seal(record: Uint8Array, bodyBytes: number): void {
    record.set(this.#salt, saltAt);
    const cipher = beginEncryption(this.#parameters.take(record));
    const bodyEnd = recordHeaderBytes + bodyBytes;
    for (let at = recordHeaderBytes; at < bodyEnd; at += pieceBytes) {
      record.set(cipher.update(record.subarray(at, Math.min(at + pieceBytes, bodyEnd))), at);
    }
    cipher.final();
    record.set(cipher.getAuthTag(), bodyEnd);
  }
}

/** Opens the records of one segment. */
export class RecordOpener {
  readonly #parameters: RecordParameters;

  constructor(key: FileKey) {
    this.#parameters = new RecordParameters(key);
  }

  /** The body in the clear, a copy; null when the tag does not prove it. `body` has the tag at its end. */
  open(header: Uint8Array, body: Uint8Array): Uint8Array | null {
    return body.length < tagBytes ? null : unseal(this.#parameters.take(header), body);
  }
}
