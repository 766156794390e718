import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Argv } from "../../src/resp/argv.ts";
import { Decoder } from "../../src/resp/decoder.ts";
import { encodeMultibulk, encodeRequest } from "../../src/resp/multibulk.ts";
import { decodePieces, decodeWhole } from "./decoding.ts";

/** Bytes that look like requests often enough to get far. */
const nearlyRequests = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "*1\r\n",
        "*2\r\n",
        "*0\r\n",
        "*-1\r\n",
        "$1\r\n",
        "$3\r\n",
        "\r\n",
        "\n",
        '"',
        "'",
        "\\x4",
        " ",
      ),
      fc.constantFrom("a", "GET", "abc", "*", "$", "\r", "\0", "9", "-"),
      fc.string({ unit: "binary", maxLength: 8 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => Buffer.from(parts.join(""), "latin1"));

const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 12 });

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = places.map((place) => Math.min(place, bytes.length)).toSorted((a, b) => a - b);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const place of [...sorted, bytes.length]) {
    pieces.push(bytes.subarray(from, place));
    from = place;
  }
  return pieces;
}

test("S21: any bytes in any pieces give what the same bytes give at once, and never a crash", () => {
  fc.assert(
    fc.property(nearlyRequests, cuts, (bytes, places) => {
      const whole = decodeWhole(bytes);
      const pieces = decodePieces(cutAt(bytes, places), new Decoder());
      expect(pieces.requests).toEqual(whole.requests);
      expect(pieces.error).toBe(whole.error);
    }),
    { numRuns: 2000 },
  );
});

test("An argument is never outside of the bytes known", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
      const bytes = Buffer.from(raw);
      const argv = new Argv();
      const end = new Decoder().decode(bytes, 0, bytes.length, argv);
      if (end < 0) return;
      expect(end).toBeLessThanOrEqual(bytes.length);
      for (let index = 0; index < argv.count; index++) {
        expect(argv.starts[index]).toBeLessThanOrEqual(argv.ends[index]);
        expect(argv.ends[index]).toBeLessThanOrEqual(argv.buffer.length);
      }
    }),
    { numRuns: 2000 },
  );
});

test("What was encoded decodes to the same arguments, in any pieces", () => {
  const word = fc.uint8Array({ maxLength: 30 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), cuts, (words, places) => {
      const bytes = encodeRequest(words);
      const { requests } = decodePieces(cutAt(bytes, places), new Decoder());
      expect(requests).toEqual([words.map((one) => Buffer.from(one).toString("latin1"))]);
    }),
  );
});

test("An inline request is encoded as the multibulk it means", () => {
  const line = Buffer.from("SET \"a b\" 'c' d\r\n");
  const argv = new Argv();
  const decoder = new Decoder();
  decoder.decode(line, 0, line.length, argv);
  expect(decoder.isInline).toBe(true);
  expect(encodeMultibulk(argv).toString()).toBe(
    "*4\r\n$3\r\nSET\r\n$3\r\na b\r\n$1\r\nc\r\n$1\r\nd\r\n",
  );
  const request = Buffer.from("*1\r\n$4\r\nPING\r\n");
  decoder.decode(request, 0, request.length, argv);
  expect(decoder.isInline).toBe(false);
  expect(encodeMultibulk(argv)).toEqual(request);
});
