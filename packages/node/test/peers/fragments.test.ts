import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PeerError } from "../../src/peers/errors.ts";
import { CutFrame, FRAGMENT_HEAD_BYTES } from "../../src/peers/fragment.ts";
import { FRAGMENT_BYTES, FrameKind, HEADER_BYTES } from "../../src/peers/frame.ts";
import { FrameDecoder } from "../../src/peers/frame-decoder.ts";
import { FrameWriter } from "../../src/peers/frame-writer.ts";
import { payloadBodyBytes, writePayload } from "../../src/peers/payload-codec.ts";

const TOTAL_BYTES_MAX = 4 * 1024 * 1024;
const PIECE_BYTES = FRAGMENT_BYTES - FRAGMENT_HEAD_BYTES;

interface Decoded {
  readonly kind: number;
  readonly senderTimeMs: number;
  readonly body: Buffer;
}

/** A forward whose frame has `frameBytes`. */
function frameOf(frameBytes: number, batch: Buffer = randomBytes(frameBytes - HEADER_BYTES)) {
  const writer = new FrameWriter();
  const payload = { kind: "forward", batch } as const;
  writePayload(writer, payload, 1000, payloadBodyBytes(payload));
  return { parts: writer.take(), batch };
}

/** The pieces of a frame, each as it goes over the link; the n-th is sent at 2000 + n. */
function piecesOf(frameBytes: number, batch?: Buffer): { pieces: Buffer[]; batch: Buffer } {
  const frame = frameOf(frameBytes, batch);
  const cut = new CutFrame(frame.parts, frameBytes);
  const pieces: Buffer[] = [];
  while (cut.remainingBytes > 0) pieces.push(Buffer.concat(cut.next(2000 + pieces.length)));
  return { pieces, batch: frame.batch };
}

function decoderInto(decoded: Decoded[], totalBytesMax = TOTAL_BYTES_MAX): FrameDecoder {
  const decoder = new FrameDecoder(FRAGMENT_BYTES, {
    onFrame({ kind, senderTimeMs }, buffer, start, end) {
      decoded.push({ kind, senderTimeMs, body: buffer.subarray(start, end) });
    },
  });
  if (totalBytesMax > 0) decoder.allowFragments(totalBytesMax);
  return decoder;
}

function decode(bytes: Buffer, chunkBytes = 16 * 1024): Decoded[] {
  const decoded: Decoded[] = [];
  const decoder = decoderInto(decoded);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    decoder.push(bytes.subarray(at, at + chunkBytes));
  }
  return decoded;
}

function problemOf(pieces: readonly Buffer[], totalBytesMax?: number): string {
  const decoder = decoderInto([], totalBytesMax);
  try {
    for (const piece of pieces) decoder.push(piece);
  } catch (error) {
    if (error instanceof PeerError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "none";
}

const small = Buffer.concat(frameOf(100).parts);

describe("a frame that is too long to go whole", () => {
  it.each([
    FRAGMENT_BYTES + 1,
    2 * PIECE_BYTES - 1,
    2 * PIECE_BYTES,
    2 * PIECE_BYTES + 1,
    1024 * 1024,
    TOTAL_BYTES_MAX,
  ])("of %i bytes comes out as it went in, in frames of the allowed length", (frameBytes) => {
    const { pieces, batch } = piecesOf(frameBytes);
    expect(pieces).toHaveLength(Math.ceil(frameBytes / PIECE_BYTES));
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(FRAGMENT_BYTES);
    const [decoded, ...others] = decode(Buffer.concat(pieces));
    expect(others).toEqual([]);
    expect(decoded.kind).toBe(FrameKind.Forward);
    expect(decoded.body.equals(batch)).toBe(true);
  });

  it("comes out however the bytes are chopped up, with whole frames between its pieces", () => {
    const { pieces, batch } = piecesOf(2 * PIECE_BYTES + 5);
    const bytes = Buffer.concat([small, ...pieces.flatMap((piece) => [piece, small])]);
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: bytes.length }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 60 }),
        (places, aroundHeads) => {
          // Also inside of the heads, where a piece begins byte by byte.
          const heads = [small.length, 2 * small.length + FRAGMENT_BYTES];
          const close = heads.map((head) => head + aroundHeads);
          const cuts = [...places, ...heads, ...close].toSorted((a, b) => a - b);
          const decoded: Decoded[] = [];
          const decoder = decoderInto(decoded);
          let start = 0;
          for (const cut of [...cuts, bytes.length]) {
            decoder.push(bytes.subarray(start, cut));
            start = cut;
          }
          const lengths = decoded.map(({ body }) => body.length);
          expect(lengths).toEqual([80, 80, 80, batch.length, 80]);
          expect(decoded[3].body.equals(batch)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("comes out when every byte of a piece's head arrives alone", () => {
    const { pieces, batch } = piecesOf(PIECE_BYTES + 1000);
    const decoded: Decoded[] = [];
    const decoder = decoderInto(decoded);
    for (const piece of pieces) {
      for (let at = 0; at < FRAGMENT_HEAD_BYTES; at++) decoder.push(piece.subarray(at, at + 1));
      decoder.push(piece.subarray(FRAGMENT_HEAD_BYTES));
    }
    expect(decoded.map(({ body }) => body.equals(batch))).toEqual([true]);
  });

  it("bears the time of its last piece, as it may have waited long", () => {
    const { pieces } = piecesOf(3 * PIECE_BYTES);
    expect(decode(Buffer.concat(pieces)).map((each) => each.senderTimeMs)).toEqual([2002]);
  });

  it("is referred to and not copied by who sends it", () => {
    const batch = randomBytes(FRAGMENT_BYTES);
    const frameBytes = HEADER_BYTES + batch.length;
    const [, , data] = new CutFrame(frameOf(frameBytes, batch).parts, frameBytes).next(1);
    expect(data.buffer).toBe(batch.buffer);
  });

  it("is forgotten when its link ends half-way", () => {
    const { pieces } = piecesOf(2 * PIECE_BYTES);
    const decoded: Decoded[] = [];
    const decoder = decoderInto(decoded);
    decoder.push(pieces[0]);
    decoder.stop();
    decoder.push(pieces[1]);
    expect(decoded).toEqual([]);
  });
});

describe("pieces that do not fit together are refused:", () => {
  const { pieces } = piecesOf(3 * PIECE_BYTES);
  const changed = (piece: Buffer, change: (copy: Buffer) => void): Buffer => {
    const copy = Buffer.from(piece);
    change(copy);
    return copy;
  };

  it("one without a beginning", () => {
    expect(problemOf([pieces[1]])).toMatch(/^frameMalformed: .* begins at \d+ and not at 0/);
  });

  it("a second beginning", () => {
    expect(problemOf([pieces[0], pieces[0]])).toMatch(/^frameMalformed: .* begins at 0 and not at/);
  });

  it("one left out, and one twice", () => {
    expect(problemOf([pieces[0], pieces[2]])).toMatch(/^frameMalformed: .* a piece begins at/);
    expect(problemOf([pieces[0], pieces[1], pieces[1]])).toMatch(/^frameMalformed: .* begins at/);
  });

  it("one of another frame", () => {
    const other = piecesOf(3 * PIECE_BYTES + 1).pieces[1];
    expect(problemOf([pieces[0], other])).toMatch(/^frameMalformed: .* not of the frame of/);
    const group = changed(pieces[1], (copy) => copy.writeUInt32LE(1, 8));
    expect(problemOf([pieces[0], group])).toMatch(/^frameMalformed: .* not of the frame of/);
  });

  it("more bytes than announced", () => {
    const total = 2 * PIECE_BYTES + 1;
    const longer = pieces.map((p) => changed(p, (copy) => copy.writeUInt32LE(total, HEADER_BYTES)));
    expect(problemOf(longer)).toMatch(/^frameMalformed: .* more than the \d+ bytes/);
  });

  it("an empty one, and one shorter than its head", () => {
    const empty = pieces[0].subarray(0, FRAGMENT_HEAD_BYTES);
    const emptied = changed(empty, (copy) => copy.writeUInt32LE(copy.length - 4, 0));
    expect(problemOf([emptied])).toMatch(/^frameMalformed: .* a piece is empty/);
    const short = changed(empty, (copy) => copy.writeUInt32LE(copy.length - 5, 0));
    expect(problemOf([short])).toMatch(/^frameMalformed: .* shorter than its head/);
  });

  it("a frame that could go whole", () => {
    const total = changed(pieces[0], (copy) => copy.writeUInt32LE(FRAGMENT_BYTES, HEADER_BYTES));
    expect(problemOf([total])).toMatch(/^frameMalformed: .* though they could go whole/);
  });

  it("a frame longer than the limit, before room is made for it", () => {
    expect(problemOf([pieces[0].subarray(0, FRAGMENT_HEAD_BYTES)], 3 * PIECE_BYTES)).toBe("none");
    const head = pieces[0].subarray(0, FRAGMENT_HEAD_BYTES);
    expect(problemOf([head], 3 * PIECE_BYTES - 1)).toMatch(/^frameTooLarge: A frame of/);
  });

  it("an inner frame that is a fragment, or has another length or group", () => {
    const inner = (change: (copy: Buffer) => void): Buffer[] => [
      changed(pieces[0], (copy) => {
        change(copy.subarray(FRAGMENT_HEAD_BYTES));
      }),
      ...pieces.slice(1),
    ];
    expect(problemOf(inner(() => undefined))).toBe("none");
    const nested = inner((frame) => frame.writeUInt8(FrameKind.Fragment, 4));
    expect(problemOf(nested)).toMatch(/^frameMalformed: .* came in fragments/);
    for (const place of [0, 8]) {
      const wrong = inner((frame) => frame.writeUInt8(frame.readUInt8(place) ^ 1, place));
      expect(problemOf(wrong)).toMatch(/^frameMalformed: .* another length or group/);
    }
    const time = inner((frame) => frame.writeDoubleLE(Number.NaN, 12));
    expect(problemOf(time)).toMatch(/^frameMalformed: .* the sender's time/);
  });

  it("any where none may come", () => {
    expect(problemOf(pieces, 0)).toMatch(/^outOfOrder: /);
  });

  it("a long frame that was not cut", () => {
    const whole = Buffer.concat(frameOf(FRAGMENT_BYTES + 1).parts);
    expect(problemOf([whole.subarray(0, HEADER_BYTES)])).toMatch(/^frameTooLarge: /);
    expect(problemOf([Buffer.concat(frameOf(FRAGMENT_BYTES).parts)])).toBe("none");
  });

  it("with any byte of their heads changed they end in a typed error or in waiting", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 2 }),
        fc.nat({ max: FRAGMENT_HEAD_BYTES - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (which, place, change) => {
          const damaged = pieces.map((piece, at) =>
            at === which
              ? changed(piece, (copy) => copy.writeUInt8(copy.readUInt8(place) ^ change, place))
              : piece,
          );
          expect(problemOf(damaged)).toMatch(/^(none|outOfOrder|frame\w+)/);
        },
      ),
      { numRuns: 150 },
    );
  });
});
