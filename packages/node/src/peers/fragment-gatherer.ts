/**
 * Puts a frame together from its pieces (fragment.ts), in one buffer that is made when the first one announces its
 * length. Who announces much and sends little costs address space, not memory: pages that nobody wrote to are not there.
 */
import { PeerError } from "./errors.ts";
import { FRAGMENT_BYTES, FrameKind, LENGTH_FIELD_BYTES } from "./frame.ts";
import { malformed } from "./frame-reader.ts";

export interface FragmentHead {
  readonly group: number;
  /** Length of the inner frame. */
  readonly totalBytes: number;
  /** Of this piece in the inner frame. */
  readonly offsetBytes: number;
  readonly pieceBytes: number;
}

export class FragmentGatherer {
  /** The longest frame there may be; 0 while nothing may come in pieces. */
  #totalBytesMax = 0;
  #frame: Buffer | null = null;
  #group = 0;
  #filledBytes = 0;
  #pieceBytesLeft = 0;

  /** From now on frames of up to `totalBytesMax` may come in pieces. */
  allow(totalBytesMax: number): void {
    this.#totalBytesMax = totalBytesMax;
  }

  /** A piece was begun, and is not all there. */
  get wantsBytes(): boolean {
    return this.#pieceBytesLeft > 0;
  }

  /** @throws PeerError outOfOrder, frameTooLarge, frameMalformed */
  begin(head: FragmentHead): void {
    this.#check(head);
    this.#frame ??= Buffer.allocUnsafeSlow(head.totalBytes);
    this.#group = head.group;
    this.#pieceBytesLeft = head.pieceBytes;
  }

  /** Takes what belongs to the piece from `chunk[position, ...)`; gives the place behind it. */
  pour(chunk: Buffer, position: number): number {
    const frame = this.#frame;
    if (frame === null) {
      return position;
    }
    const end = Math.min(chunk.length, position + this.#pieceBytesLeft);
    chunk.copy(frame, this.#filledBytes, position, end);
    this.#filledBytes += end - position;
    this.#pieceBytesLeft -= end - position;
    return end;
  }

  /**
   * The inner frame, once, when all of it is there; null before.
   * @throws PeerError frameMalformed when it is not what was announced.
   */
  takeWhole(): Buffer | null {
    const frame = this.#frame;
    if (frame === null || this.#filledBytes < frame.length) {
      return null;
    }
    this.drop();
    const lengthIsRight = frame.readUInt32LE(0) === frame.length - LENGTH_FIELD_BYTES;
    if (!lengthIsRight || frame.readUInt32LE(8) !== this.#group) {
      throw malformed("its pieces say another length or group than it does");
    }
    if (frame.readUInt8(LENGTH_FIELD_BYTES) === FrameKind.Fragment) {
      throw malformed("a fragment came in fragments");
    }
    return frame;
  }

  /** Forgets what was gathered. */
  drop(): void {
    this.#frame = null;
    this.#filledBytes = 0;
    this.#pieceBytesLeft = 0;
  }

  #check({ group, totalBytes, offsetBytes, pieceBytes }: FragmentHead): void {
    if (this.#totalBytesMax === 0) {
      throw new PeerError("outOfOrder", "A piece of a frame came where none may come.");
    }
    if (totalBytes > this.#totalBytesMax) {
      throw new PeerError(
        "frameTooLarge",
        `A frame of ${totalBytes} bytes is larger than the limit of ${this.#totalBytesMax}.`,
      );
    }
    if (totalBytes <= FRAGMENT_BYTES) {
      throw malformed(`${totalBytes} bytes come in pieces though they could go whole`);
    }
    if (pieceBytes === 0) {
      throw malformed("a piece is empty");
    }
    if (this.#frame === null ? offsetBytes !== 0 : offsetBytes !== this.#filledBytes) {
      throw malformed(`a piece begins at ${offsetBytes} and not at ${this.#filledBytes}`);
    }
    const isSame = totalBytes === this.#frame?.length && group === this.#group;
    if (this.#frame !== null && !isSame) {
      throw malformed(`a piece is not of the frame of ${this.#frame.length} bytes that was begun`);
    }
    if (offsetBytes + pieceBytes > totalBytes) {
      throw malformed(`its pieces have more than the ${totalBytes} bytes that were announced`);
    }
  }
}
