import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PeerPayload } from "../../src/replica/transport.ts";
import { PeerError } from "../../src/peers/errors.ts";
import { FrameKind, GROUP_ID, HEADER_BYTES } from "../../src/peers/frame.ts";
import { FrameDecoder } from "../../src/peers/frame-decoder.ts";
import { FrameReader } from "../../src/peers/frame-reader.ts";
import { COPY_BYTES_MAX, FrameWriter } from "../../src/peers/frame-writer.ts";
import { payloadBodyBytes, readPayload, writePayload } from "../../src/peers/payload-codec.ts";
import { CONFIGURATION_IDS_MAX } from "../../src/peers/snapshot-codec.ts";
import { FROM, TO, anyPayload } from "./arbitrary-payload.ts";

/** Whatever arrives: frames, waiting for more, or one of these errors. Anything else is thrown on by `codeOf`. */
const ANY_OUTCOME = /^(nothing thrown|frameTooLarge|frameMalformed|frameUnknownKind|wrongGroup)$/;
const ENDS = { from: FROM, to: TO };

interface Decoded {
  readonly payload: PeerPayload;
  readonly senderTimeMs: number;
}

function encode(payloads: readonly PeerPayload[], writer = new FrameWriter()): Buffer {
  payloads.forEach((payload, i) => {
    writePayload(writer, payload, 1000.5 + i, payloadBodyBytes(payload));
  });
  const announced = writer.pendingBytes;
  const bytes = Buffer.concat(writer.take());
  expect(bytes.length).toBe(announced);
  return bytes;
}

function decoderInto(decoded: Decoded[], frameBytesMax = 1 << 20): FrameDecoder {
  const reader = new FrameReader();
  return new FrameDecoder(frameBytesMax, {
    onFrame(header, buffer, start, end) {
      if (header.group !== GROUP_ID) {
        throw new PeerError("wrongGroup", `group ${header.group}`);
      }
      reader.open(buffer, start, end);
      const payload = readPayload(header.kind, reader, ENDS);
      decoded.push({ payload, senderTimeMs: header.senderTimeMs });
    },
  });
}

function decode(bytes: Buffer, cuts: readonly number[] = []): Decoded[] {
  const decoded: Decoded[] = [];
  const decoder = decoderInto(decoded);
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    // A copy: what a socket hands out is memory of its own, and must not change when the next chunk comes.
    decoder.push(Buffer.from(bytes.subarray(start, cut)));
    start = cut;
  }
  return decoded;
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof PeerError) {
      return error.code;
    }
    throw error;
  }
  return "nothing thrown";
}

const timeoutNow: PeerPayload = {
  kind: "raft",
  message: { kind: "timeoutNow", ...ENDS, term: 5 },
};

describe("frames", () => {
  it("come out as they went in, however the bytes are chopped up", () => {
    fc.assert(
      fc.property(
        fc.array(anyPayload, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (payloads, places) => {
          const bytes = encode(payloads);
          const cuts = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b);
          const decoded = decode(bytes, cuts);
          expect(decoded.map((each) => each.payload)).toEqual(payloads);
          expect(decoded.map((each) => each.senderTimeMs)).toEqual(
            payloads.map((_, i) => 1000.5 + i),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it("come out when every byte arrives alone", () => {
    const payloads = fc.sample(anyPayload, { numRuns: 20, seed: 1 });
    const bytes = encode(payloads);
    const cuts = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
    expect(decode(bytes, cuts).map((each) => each.payload)).toEqual(payloads);
  });

  it("S32: name their sender and receiver by the link alone", () => {
    const lie: PeerPayload = {
      kind: "raft",
      message: { kind: "timeoutNow", from: TO, to: FROM, term: 5 },
    };
    expect(decode(encode([lie]))[0]?.payload).toEqual(timeoutNow);
  });

  it("are views of received memory and not copies", () => {
    const batch = Buffer.alloc(100, 7);
    const bytes = encode([{ kind: "forward", batch }]);
    const decoded: Decoded[] = [];
    decoderInto(decoded).push(bytes);
    const payload = decoded[0]?.payload;
    expect(payload?.kind === "forward" && payload.batch.buffer === bytes.buffer).toBe(true);
  });

  it("small ones share a buffer, large data is referred to, and taken bytes stay as they are", () => {
    const writer = new FrameWriter();
    const large = Buffer.alloc(COPY_BYTES_MAX + 1, 9);
    const write = (payload: PeerPayload): void => {
      writePayload(writer, payload, 1, payloadBodyBytes(payload));
    };
    write(timeoutNow);
    write({ kind: "forward", batch: large });
    write(timeoutNow);
    const first = writer.take();
    expect(first).toHaveLength(3);
    expect(first[1]).toBe(large);
    const before = Buffer.concat(first);
    for (let i = 0; i < 5000; i++) {
      write({ kind: "copiesAnswer", requestId: i, count: i });
    }
    writer.take();
    expect(Buffer.concat(first).equals(before)).toBe(true);
  });

  it("of random bytes end in a typed error or in waiting, never in a crash", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (array) => {
        const code = codeOf(() => decode(Buffer.from(array)));
        expect(code).toMatch(ANY_OUTCOME);
      }),
      { numRuns: 500 },
    );
  });

  it("with any byte changed or cut off end in a typed error, in waiting or in another message", () => {
    const [payload] = fc.sample(
      anyPayload.filter((p) => p.kind === "raft" && p.message.kind === "append"),
      {
        numRuns: 1,
        seed: 3,
      },
    );
    const bytes = encode([payload, timeoutNow]);
    fc.assert(
      fc.property(
        fc.nat({ max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (place, change) => {
          const damaged = Buffer.from(bytes);
          damaged.writeUInt8(damaged.readUInt8(place) ^ change, place);
          expect(codeOf(() => decode(damaged))).toMatch(ANY_OUTCOME);
          const cut = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)]);
          expect(codeOf(() => decode(cut))).toMatch(ANY_OUTCOME);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("frames are refused", () => {
  function header(changes: (frame: Buffer) => void): Buffer {
    const frame = encode([timeoutNow]);
    changes(frame);
    return frame;
  }

  it("as soon as their length is larger than the limit", () => {
    const decoded: Decoded[] = [];
    const frame = encode([{ kind: "forward", batch: Buffer.alloc(80) }]);
    decoderInto(decoded, 100).push(frame);
    expect(decoded).toHaveLength(1);
    expect(codeOf(() => decoderInto(decoded, 99).push(frame.subarray(0, 4)))).toBe("frameTooLarge");
    const trickle = decoderInto(decoded, 99);
    trickle.push(frame.subarray(0, 3));
    expect(codeOf(() => trickle.push(frame.subarray(3, 4)))).toBe("frameTooLarge");
  });

  it.each([
    [
      "a length shorter than a header",
      (f: Buffer) => f.writeUInt32LE(HEADER_BYTES - 5, 0),
      "frameMalformed",
    ],
    ["bytes that must be zero", (f: Buffer) => f.writeUInt8(1, 6), "frameMalformed"],
    ["a time that is no number", (f: Buffer) => f.writeDoubleLE(Number.NaN, 12), "frameMalformed"],
    ["an unknown kind", (f: Buffer) => f.writeUInt8(250, 4), "frameUnknownKind"],
    [
      "a kind among Raft's that is not used",
      (f: Buffer) => f.writeUInt8(FrameKind.ReadIndexResponse + 1, 4),
      "frameUnknownKind",
    ],
    ["a negative term", (f: Buffer) => f.writeDoubleLE(-1, HEADER_BYTES), "frameMalformed"],
    ["a fractional term", (f: Buffer) => f.writeDoubleLE(1.5, HEADER_BYTES), "frameMalformed"],
    [
      "a term beyond all counting",
      (f: Buffer) => f.writeDoubleLE(2 ** 53, HEADER_BYTES),
      "frameMalformed",
    ],
    [
      "a body of another kind's length",
      (f: Buffer) => f.writeUInt8(FrameKind.Heartbeat, 4),
      "frameMalformed",
    ],
  ])("for %s", (_what, change, code) => {
    expect(codeOf(() => decode(header(change)))).toBe(code);
  });

  it("for bytes left over", () => {
    const frame = Buffer.concat([encode([timeoutNow]), Buffer.of(0)]);
    frame.writeUInt32LE(frame.length - 4, 0);
    expect(codeOf(() => decode(frame))).toBe("frameMalformed");
  });

  it("for more entries than could fit, before room is made for them", () => {
    const append: PeerPayload = {
      kind: "raft",
      message: {
        kind: "append",
        ...ENDS,
        term: 1,
        previousIndex: 0,
        previousTerm: 0,
        entries: [],
        commit: 0,
      },
    };
    const frame = encode([append]);
    frame.writeUInt32LE(0xffff_ffff, HEADER_BYTES + 32);
    expect(codeOf(() => decode(frame))).toBe("frameMalformed");
  });

  it("nothing more comes out after stop", () => {
    const decoded: Decoded[] = [];
    const decoder = decoderInto(decoded);
    decoder.stop();
    decoder.push(encode([timeoutNow]));
    expect(decoded).toEqual([]);
  });
});

describe("messages that the format can not express", () => {
  it("are refused before a byte is written: entries with gaps", () => {
    const entries = [{ index: 9, term: 1, kind: 0 as const, data: Buffer.alloc(0) }];
    const message = {
      kind: "append" as const,
      ...ENDS,
      term: 1,
      previousIndex: 7,
      previousTerm: 1,
      entries,
      commit: 0,
    };
    expect(codeOf(() => payloadBodyBytes({ kind: "raft", message }))).toBe("notEncodable");
  });

  it("are refused before a byte is written: ids that are no UUIDs, and too many", () => {
    const chunk = (voters: string[]): PeerPayload => ({
      kind: "raft",
      message: {
        kind: "snapshotChunk",
        ...ENDS,
        term: 1,
        meta: {
          index: 1,
          term: 1,
          sizeBytes: 0,
          configuration: { voters, votersOutgoing: [], learners: [], learnersNext: [] },
        },
        offsetBytes: 0,
        lengthBytes: 0,
        done: true,
        data: Buffer.alloc(0),
      },
    });
    expect(codeOf(() => payloadBodyBytes(chunk(["n1"])))).toBe("notEncodable");
    expect(codeOf(() => payloadBodyBytes(chunk([FROM.toUpperCase()])))).toBe("notEncodable");
    const most = Array.from({ length: CONFIGURATION_IDS_MAX }, () => FROM);
    expect(decode(encode([chunk(most)]))[0]?.payload).toEqual(chunk(most));
    expect(codeOf(() => payloadBodyBytes(chunk([...most, FROM])))).toBe("notEncodable");
  });
});
