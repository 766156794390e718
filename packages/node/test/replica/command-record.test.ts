import { describe, expect, it } from "vitest";
import { readCommandRecord } from "../../src/replica/command-record.ts";
import { Argv } from "../../src/resp/argv.ts";
import { fc, test } from "./fast-check.ts";

function encode(words: readonly Uint8Array[]): Buffer {
  const parts = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words)
    parts.push(Buffer.from(`$${word.length}\r\n`), Buffer.from(word), Buffer.from("\r\n"));
  return Buffer.concat(parts);
}

describe("reading a command out of a batch", () => {
  it("finds the arguments of any command, wherever it stands in the buffer", () => {
    test(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 40 }),
        fc.nat(20),
        (words, offset) => {
          const bytes = encode(words);
          const buffer = Buffer.concat([Buffer.alloc(offset, 0x2a), bytes, Buffer.alloc(3, 0x24)]);
          const argv = new Argv();
          expect(readCommandRecord(buffer, offset, offset + bytes.length, argv)).toBe(true);
          expect(argv.count).toBe(words.length);
          for (const [index, word] of words.entries())
            expect(argv.bytes(index).equals(word)).toBe(true);
        },
      ),
    );
  });

  it("refuses anything that is not exactly one command", () => {
    const whole = encode([Buffer.from("GET"), Buffer.from("k")]);
    const argv = new Argv();
    for (let length = 0; length < whole.length; length++) {
      expect(readCommandRecord(whole, 0, length, argv)).toBe(false);
    }
    const longer = Buffer.concat([whole, Buffer.from("x")]);
    expect(readCommandRecord(longer, 0, longer.length, argv)).toBe(false);
    for (const text of [
      "PING\r\n",
      "*0\r\n",
      "*-1\r\n",
      "*1\r\n$-1\r\n",
      "*99999999\r\n$1\r\na\r\n",
      "*1\r\n$99\r\na\r\n",
    ]) {
      expect(readCommandRecord(Buffer.from(text), 0, text.length, argv)).toBe(false);
    }
  });

  it("survives any bytes", () => {
    test(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        const argv = new Argv();
        if (!readCommandRecord(buffer, 0, buffer.length, argv)) return;
        for (let index = 0; index < argv.count; index++)
          expect(argv.ends[index]).toBeLessThanOrEqual(buffer.length);
      }),
    );
  });
});
