/**
 * A piece of a frame that is too long to go whole (FRAGMENT_BYTES).
 *
 *   0               20       24       28
 *   +---------------+--------+--------+--------------------------
 *   | header        | total  | offset | bytes of the inner frame
 *   | kind Fragment |  u32   |  u32   | [offset, ...)
 *   +---------------+--------+--------+--------------------------
 *
 * `total` is the length of the inner frame with its header. Its pieces come in order, and no piece of another frame
 * among them; whole frames may come between them. Only what is longer than FRAGMENT_BYTES is ever cut, so what is in
 * pieces is neither a hello nor a fragment.
 */
import { FRAGMENT_BYTES, FrameKind, GROUP_ID, HEADER_BYTES, LENGTH_FIELD_BYTES } from "./frame.ts";

export const FRAGMENT_HEAD_BYTES: number = HEADER_BYTES + 8;
const PIECE_BYTES_MAX = FRAGMENT_BYTES - FRAGMENT_HEAD_BYTES;

/** A frame that is sent in pieces. It refers to the bytes it was made from and copies nothing. */
export class CutFrame {
  readonly #parts: readonly Uint8Array[];
  readonly #totalBytes: number;
  #offset = 0;
  /** The part that holds `#offset`, and the place of that in it. */
  #part = 0;
  #partOffset = 0;

  /** `parts` are the bytes of one whole frame. */
  constructor(parts: readonly Uint8Array[], totalBytes: number) {
    this.#parts = parts;
    this.#totalBytes = totalBytes;
  }

  /** Bytes of the frame that no piece has taken yet. */
  get remainingBytes(): number {
    return this.#totalBytes - this.#offset;
  }

  /** The next piece as a frame of its own. Not to be called when nothing remains. */
  next(senderTimeMs: number): Uint8Array[] {
    const pieceBytes = Math.min(PIECE_BYTES_MAX, this.remainingBytes);
    const head = Buffer.allocUnsafe(FRAGMENT_HEAD_BYTES);
    head.writeUInt32LE(FRAGMENT_HEAD_BYTES - LENGTH_FIELD_BYTES + pieceBytes, 0);
    head.writeUInt32LE(FrameKind.Fragment, 4);
    head.writeUInt32LE(GROUP_ID, 8);
    head.writeDoubleLE(senderTimeMs, 12);
    head.writeUInt32LE(this.#totalBytes, HEADER_BYTES);
    head.writeUInt32LE(this.#offset, HEADER_BYTES + 4);
    const piece: Uint8Array[] = [head];
    let wanted = pieceBytes;
    while (wanted > 0) {
      const part = this.#parts[this.#part];
      const end = Math.min(part.length, this.#partOffset + wanted);
      piece.push(part.subarray(this.#partOffset, end));
      wanted -= end - this.#partOffset;
      this.#partOffset = end;
      if (end === part.length) {
        this.#part++;
        this.#partOffset = 0;
      }
    }
    this.#offset += pieceBytes;
    return piece;
  }
}
