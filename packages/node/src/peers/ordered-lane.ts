/**
 * The frames that wait for their turn, as runs of bytes that may be given to the socket one after another: whole frames, or
 * one piece of a frame that is cut. Between two runs anything else may be sent.
 *
 *   [ frame frame frame ] [ piece | piece | piece | ... of a large frame ] [ frame frame ...   ]
 *         closed run                                                        run that is filled
 */
import type { PeerPayload } from "../replica/transport.ts";
import { CutFrame } from "./fragment.ts";
import { FRAGMENT_BYTES, HEADER_BYTES } from "./frame.ts";
import { FrameWriter } from "./frame-writer.ts";
import { writePayload } from "./payload-codec.ts";
import { isRepeated } from "./urgency.ts";

/** Whole frames, of FRAGMENT_BYTES at most. */
interface Run {
  readonly parts: Uint8Array[];
  readonly bytes: number;
}

interface LargeFrame {
  readonly frame: CutFrame;
  readonly payload: PeerPayload;
}

export class OrderedLane {
  readonly #writer = new FrameWriter();
  readonly #items: (Run | LargeFrame)[] = [];
  #bytes = 0;

  /** Bytes of frames that were not taken yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Puts a frame behind all others. `bodyBytes` comes from `payloadBodyBytes`. */
  add(payload: PeerPayload, senderTimeMs: number, bodyBytes: number): void {
    const frameBytes = HEADER_BYTES + bodyBytes;
    if (this.#writer.pendingBytes + frameBytes > FRAGMENT_BYTES) {
      this.#closeRun();
    }
    writePayload(this.#writer, payload, senderTimeMs, bodyBytes);
    if (frameBytes > FRAGMENT_BYTES) {
      this.#items.push({ frame: new CutFrame(this.#writer.take(), frameBytes), payload });
    }
    this.#bytes += frameBytes;
  }

  /** Whether the same large frame waits already, or a part of it does. */
  repeats(payload: PeerPayload): boolean {
    return this.#items.some((item) => "payload" in item && isRepeated(item.payload, payload));
  }

  /** The next bytes for the socket, of FRAGMENT_BYTES at most. Not to be called when nothing waits. */
  take(senderTimeMs: number): { readonly parts: Uint8Array[]; readonly isPiece: boolean } {
    if (this.#items.length === 0) {
      this.#closeRun();
    }
    const item = this.#items[0];
    if ("parts" in item) {
      this.#items.shift();
      this.#bytes -= item.bytes;
      return { parts: item.parts, isPiece: false };
    }
    const { frame } = item;
    const before = frame.remainingBytes;
    const parts = frame.next(senderTimeMs);
    this.#bytes -= before - frame.remainingBytes;
    if (frame.remainingBytes === 0) {
      this.#items.shift();
    }
    return { parts, isPiece: true };
  }

  /** Forgets everything, also the rest of a frame that has begun. */
  drop(): void {
    this.#writer.take();
    this.#items.length = 0;
    this.#bytes = 0;
  }

  #closeRun(): void {
    const bytes = this.#writer.pendingBytes;
    if (bytes > 0) {
      this.#items.push({ parts: this.#writer.take(), bytes });
    }
  }
}
