import { describe, expect, test } from "vitest";
import { Argv } from "../../src/resp/argv.ts";
import { Decoder, NEED_MORE, PROTOCOL_ERROR } from "../../src/resp/decoder.ts";
import { DEFAULT_LIMITS, LOG_LIMITS } from "../../src/resp/limits.ts";
import type { DecoderLimits } from "../../src/resp/limits.ts";
import { decodePieces, decodeWhole } from "./decoding.ts";

function decoderWith(limits: Partial<DecoderLimits>, authenticated = true): Decoder {
  const decoder = new Decoder({ ...DEFAULT_LIMITS, ...limits });
  decoder.authenticated = authenticated;
  return decoder;
}

describe("A line may have inlineBytesMax bytes and not one more", () => {
  const limit = DEFAULT_LIMITS.inlineBytesMax;

  test("inline, with and without its end", () => {
    expect(decodeWhole(`${"a".repeat(limit)}\r\n`).error).toBe(
      "ERR Protocol error: too big inline request",
    );
    expect(decodeWhole(`${"a".repeat(limit - 1)}\r\n`).requests).toHaveLength(1);
    expect(decodeWhole("a".repeat(limit)).error).toBeNull();
    expect(decodeWhole("a".repeat(limit + 1)).error).toBe(
      "ERR Protocol error: too big inline request",
    );
  });

  test("the count of arguments", () => {
    expect(decodeWhole(`*${"1".repeat(limit - 1)}`).error).toBeNull();
    expect(decodeWhole(`*${"1".repeat(limit)}`).error).toBe(
      "ERR Protocol error: too big mbulk count string",
    );
  });

  test("the length of an argument", () => {
    expect(decodeWhole(`*1\r\n$${"1".repeat(limit - 1)}`).error).toBeNull();
    expect(decodeWhole(`*1\r\n$${"1".repeat(limit)}`).error).toBe(
      "ERR Protocol error: too big bulk count string",
    );
  });
});

test("A request may have multibulkMax arguments and not one more", () => {
  const limits = { multibulkMax: 3 };
  expect(decodeWhole("*3\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n", decoderWith(limits)).requests).toEqual(
    [["", "", ""]],
  );
  expect(decodeWhole("*4\r\n", decoderWith(limits)).error).toBe(
    "ERR Protocol error: invalid multibulk length",
  );
  expect(decodeWhole("*1048576\r\n").error).toBeNull();
  expect(decodeWhole("*1048577\r\n").error).toBe("ERR Protocol error: invalid multibulk length");
});

test("An argument may have bulkBytesMax bytes and not one more", () => {
  const limits = { bulkBytesMax: 5 };
  expect(decodeWhole("*1\r\n$5\r\nhello\r\n", decoderWith(limits)).requests).toEqual([["hello"]]);
  expect(decodeWhole("*1\r\n$6\r\n", decoderWith(limits)).error).toBe(
    "ERR Protocol error: invalid bulk length",
  );
});

test("S20: a stranger may send 10 arguments of 16 KiB", () => {
  const large = "x".repeat(16 * 1024);
  const allowed = `*10\r\n${`$${large.length}\r\n${large}\r\n`.repeat(10)}`;
  expect(decodeWhole(allowed, decoderWith({}, false)).requests[0]).toHaveLength(10);
  expect(decodeWhole("*11\r\n", decoderWith({}, false)).error).toBe(
    "ERR Protocol error: unauthenticated multibulk length",
  );
  expect(decodeWhole("*1\r\n$16385\r\n", decoderWith({}, false)).error).toBe(
    "ERR Protocol error: unauthenticated bulk length",
  );
  expect(decodeWhole("*11\r\n", decoderWith({}, true)).error).toBeNull();
});

test("A changed limit holds from the next line on", () => {
  const decoder = decoderWith({});
  expect(decodeWhole("*1\r\n$6\r\nfoobar\r\n", decoder).requests).toEqual([["foobar"]]);
  decoder.limits = { ...DEFAULT_LIMITS, bulkBytesMax: 5 };
  expect(decodeWhole("*1\r\n$6\r\nfoobar\r\n", decoder).error).toBe(
    "ERR Protocol error: invalid bulk length",
  );
});

test("What is in the log decodes whatever the limits of clients are", () => {
  const count = DEFAULT_LIMITS.multibulkMax + 1;
  const bytes = Buffer.from(`*${count}\r\n${"$0\r\n\r\n".repeat(count)}`);
  const argv = new Argv();
  expect(new Decoder(LOG_LIMITS).decode(bytes, 0, bytes.length, argv)).toBe(bytes.length);
  expect(argv.count).toBe(count);
  expect(new Decoder().decode(bytes, 0, bytes.length, argv)).toBe(PROTOCOL_ERROR);
});

describe("The decoder tells how many bytes a pending request has at least", () => {
  function required(text: string): number {
    const decoder = new Decoder();
    const bytes = Buffer.from(text);
    expect(decoder.decode(bytes, 0, bytes.length, new Argv())).toBe(NEED_MORE);
    return decoder.requiredBytes;
  }

  test("exactly, for the argument that is on its way", () => {
    const head = "*2\r\n$3\r\nGET\r\n$1000000\r\n";
    expect(required(`${head}abc`)).toBe(head.length + 1_000_000 + 2);
  });

  test("as one more than it has, when it can not know", () => {
    expect(required("*")).toBe(2);
    expect(required("*2\r\n")).toBe(5);
    expect(required("PIN")).toBe(4);
  });

  test("never by a claim alone: a count of a million asks for one byte", () => {
    expect(required("*1000000\r\n")).toBe(11);
  });
});

test("A request of a hundred thousand arguments in small pieces is read in linear time", () => {
  const count = 100_000;
  const bytes = Buffer.from(`*${count}\r\n${"$3\r\nabc\r\n".repeat(count)}`);
  const decoder = new Decoder();
  const argv = new Argv();
  let reads = 0;
  const counting = new Proxy(bytes, {
    get: (target, name) => {
      if (typeof name === "string" && /^\d+$/.test(name)) reads++;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  let end = NEED_MORE;
  for (let to = 0; to < bytes.length; to += 5) {
    end = decoder.decode(counting, 0, Math.min(to + 5, bytes.length), argv);
  }
  expect(end).toBe(bytes.length);
  expect(argv.count).toBe(count);
  // Twice the bytes, and a type byte per call; looking again from the start would take 10^10 reads.
  expect(reads).toBeLessThan(bytes.length * 4);
});

test("A count of 64 KiB of digits is refused also when it arrives in pieces", () => {
  const text = `*${"1".repeat(DEFAULT_LIMITS.inlineBytesMax)}`;
  const pieces = Array.from({ length: 64 }, (_, index) =>
    Buffer.from(text.slice(index * 1024, (index + 1) * 1024)),
  );
  pieces.push(Buffer.from(text.slice(64 * 1024)));
  expect(decodePieces(pieces, new Decoder()).error).toBe(
    "ERR Protocol error: too big mbulk count string",
  );
});
