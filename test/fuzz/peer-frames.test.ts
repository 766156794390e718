/**
 * Frames between nodes with changed bytes, in this process: they are decoded, waited for, or refused with a PeerError;
 * what is decoded can be encoded again and comes out the same. So no bytes make a message that the format could not say.
 */
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { anyPayload, FROM, TO } from "../../packages/node/test/peers/arbitrary-payload.ts";
import { PeerError } from "../../packages/node/src/peers/errors.ts";
import { GROUP_ID } from "../../packages/node/src/peers/frame.ts";
import { FrameDecoder } from "../../packages/node/src/peers/frame-decoder.ts";
import { FrameReader } from "../../packages/node/src/peers/frame-reader.ts";
import { FrameWriter } from "../../packages/node/src/peers/frame-writer.ts";
import {
  payloadBodyBytes,
  readPayload,
  writePayload,
} from "../../packages/node/src/peers/payload-codec.ts";
import type { PeerPayload } from "../../packages/node/src/replica/transport.ts";
import { announceSeed, fuzzSeed, roundName, roundRandom, rounds } from "./fuzz-seed.ts";
import { mutateStream, piecesOf, randomBytes } from "./mutate.ts";

const ROUNDS = rounds(15_000);
const FRAME_BYTES_MAX = 1 << 20;
const ENDS = { from: FROM, to: TO };

interface Decoded {
  readonly payload: PeerPayload;
  readonly senderTimeMs: number;
}

type Read = typeof readPayload;

function encode(payload: PeerPayload, senderTimeMs: number): Buffer {
  const writer = new FrameWriter();
  writePayload(writer, payload, senderTimeMs, payloadBodyBytes(payload));
  return Buffer.concat(writer.take());
}

function decode(pieces: readonly Buffer[], read: Read): Decoded[] {
  const decoded: Decoded[] = [];
  const reader = new FrameReader();
  const decoder = new FrameDecoder(FRAME_BYTES_MAX, {
    onFrame(header, buffer, start, end) {
      if (header.group !== GROUP_ID) throw new PeerError("wrongGroup", "another group");
      reader.open(buffer, start, end);
      const payload = read(header.kind, reader, ENDS);
      decoded.push({ payload, senderTimeMs: header.senderTimeMs });
    },
  });
  for (const piece of pieces) decoder.push(piece);
  return decoded;
}

/** What is wrong with how the bytes were taken, or null. */
function judge(pieces: readonly Buffer[], read: Read): { problem: string | null; frames: number } {
  let decoded: Decoded[];
  try {
    decoded = decode(pieces, read);
  } catch (error) {
    return { problem: error instanceof PeerError ? null : `threw ${String(error)}`, frames: 0 };
  }
  for (const { payload, senderTimeMs } of decoded) {
    try {
      const [again] = decode([encode(payload, senderTimeMs)], readPayload);
      expect(again).toEqual({ payload, senderTimeMs });
    } catch (error) {
      return { problem: `not a message of ours: ${String(error)}`, frames: decoded.length };
    }
  }
  return { problem: null, frames: decoded.length };
}

describe("Frames between nodes", () => {
  let samples: Buffer[];
  beforeAll(() => {
    announceSeed("peer frames");
    const payloads = fc.sample(anyPayload, { numRuns: 300, seed: fuzzSeed | 0 });
    samples = payloads.map((payload, at) => encode(payload, 1000 + at));
  });

  test("with changed bytes are refused, waited for, or messages that can be said", () => {
    let frames = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const random = roundRandom(round);
      const some = Array.from({ length: 1 + random.below(3) }, () => random.pick(samples));
      const pieces = piecesOf(mutateStream(Buffer.concat(some), random), random);
      const verdict = judge(pieces, readPayload);
      expect(verdict.problem, roundName(round)).toBeNull();
      frames += verdict.frames;
    }
    // Many a change hits only contents: those frames must still come through.
    expect(frames).toBeGreaterThan(ROUNDS / 10);
  });

  test("of random bytes are refused or waited for", () => {
    for (let round = 1; round <= ROUNDS; round++) {
      const random = roundRandom(-round);
      const bytes = randomBytes(1 + random.below(200), random);
      // A length that is possible leads further in than chance would.
      if (random.oneIn(2) && bytes.length >= 8) {
        bytes.writeUInt32LE(bytes.length - 4, 0);
        bytes.writeUInt32LE(random.below(60), 4);
        if (bytes.length >= 20) bytes.fill(0, 8, 20);
      }
      const verdict = judge(piecesOf(bytes, random), readPayload);
      expect(verdict.problem, roundName(round)).toBeNull();
    }
  });

  test("canary: a reader that does not check where its frame ends is found", () => {
    const careless: Read = (kind, reader, ends) => {
      const raw = Object.create(reader) as FrameReader;
      // What the check of the end is for: without it, reading goes on into foreign bytes or beyond the buffer.
      raw.u8 = () => Buffer.alloc(0).readUInt8(0);
      return readPayload(kind, raw, ends);
    };
    const vote = samples.find((bytes) => [16, 17, 18, 19].includes(bytes[4]))!;
    expect(judge([vote], careless).problem).toMatch(/^threw /);
  });

  test("canary: a message that the format can not say is found", () => {
    const inventive: Read = () => ({
      kind: "copiesAnswer",
      requestId: 1,
      count: -1,
    });
    expect(judge([samples[0]], inventive).problem).toMatch(/^not a message of ours/);
  });
});
