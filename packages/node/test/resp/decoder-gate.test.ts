import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Argv } from "../../src/resp/argv.ts";
import { Decoder, NEED_MORE, PROTOCOL_ERROR } from "../../src/resp/decoder.ts";
import { DEFAULT_LIMITS } from "../../src/resp/limits.ts";
import type { RequestGate } from "../../src/resp/request-gate.ts";

const LARGE = DEFAULT_LIMITS.unjudgedBytesMax;

/** Refuses every command that begins with "x" and notes what it was asked. */
class NameGate implements RequestGate {
  readonly asked: string[] = [];

  judge(argv: Argv, argumentCount: number): string | null {
    const words = Array.from({ length: argv.count }, (_, index) => argv.latin1(index).slice(0, 8));
    this.asked.push(`${words.join(" ")} of ${argumentCount}`);
    return argv.count === 0 || words[0].startsWith("x") ? `no ${words[0] ?? "name"}` : null;
  }
}

function encode(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

interface Fed {
  /** Names of complete requests, and what refused ones were answered, in order. */
  readonly answers: readonly string[];
  /** The most bytes that had to be kept between two pieces. */
  readonly keptBytesMax: number;
  readonly error: string | null;
}

/** Feeds pieces as a connection does: keeps what was not taken, moves it, goes on. */
function feed(decoder: Decoder, pieces: readonly string[]): Fed {
  const argv = new Argv();
  const answers: string[] = [];
  let pending = Buffer.alloc(0);
  let keptBytesMax = 0;
  let shift = 0;
  for (const piece of pieces) {
    shift = (shift + 7) % 31;
    const bytes = Buffer.from(piece, "latin1");
    const buffer = Buffer.concat([Buffer.alloc(shift, 0x2a), pending, bytes]);
    let from = shift;
    while (from < buffer.length) {
      const end = decoder.decode(buffer, from, buffer.length, argv);
      if (end === PROTOCOL_ERROR) return { answers, keptBytesMax, error: decoder.errorText };
      if (end === NEED_MORE) break;
      if (decoder.refusalText !== null) answers.push(decoder.refusalText);
      else if (argv.count > 0) answers.push(argv.latin1(0));
      from = end;
      argv.reset(Buffer.alloc(0));
    }
    pending = buffer.subarray(from);
    keptBytesMax = Math.max(keptBytesMax, pending.length);
  }
  return { answers, keptBytesMax, error: null };
}

function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  let at = 0;
  for (let turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length];
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
}

function gated(): { decoder: Decoder; gate: NameGate } {
  const decoder = new Decoder();
  const gate = new NameGate();
  decoder.gate = gate;
  return { decoder, gate };
}

describe("A large request that is refused by its name (S20, S23)", () => {
  const value = "v".repeat(40 * LARGE);

  it("is answered at once, skipped without being kept, and the next request is found", () => {
    const { decoder, gate } = gated();
    const text = encode("ping") + encode("xset", "key", value, "ex") + encode("get", "key");
    const fed = feed(decoder, cut(text, [1_000]));
    expect(fed.answers).toEqual(["ping", "no xset", "get"]);
    expect(gate.asked).toEqual(["xset key of 4"]);
    expect(fed.keptBytesMax).toBeLessThan(1_000);
    expect(decoder.isSkipping).toBe(false);
  });

  it("is so wherever it is cut, down to single bytes", () => {
    const small = "v".repeat(LARGE + 1);
    const text = encode("xset", "key", small, "", "ex") + encode("get", "key");
    for (const size of [1, 2, 3, 7, 64, 16_384, 16_400, text.length - 31]) {
      const { decoder } = gated();
      expect(feed(decoder, cut(text, [size])).answers).toEqual(["no xset", "get"]);
    }
  });

  it("made of many small arguments is refused when it has become large", () => {
    const { decoder } = gated();
    const words = Array.from({ length: 100_000 }, () => "abc");
    const fed = feed(decoder, cut(encode("xdel", ...words) + encode("ping"), [4_096]));
    expect(fed.answers).toEqual(["no xdel", "ping"]);
    expect(fed.keptBytesMax).toBeLessThan(LARGE + 4_096);
  });

  it("whose first argument alone is large is refused without a name", () => {
    const { decoder, gate } = gated();
    const text = encode("n".repeat(LARGE * 3)) + encode("ping");
    expect(feed(decoder, cut(text, [5_000])).answers).toEqual(["no name", "ping"]);
    expect(gate.asked).toEqual([" of 1"]);
  });

  it("still is held to the limits while it is skipped", () => {
    const { decoder } = gated();
    const start = `*3\r\n$4\r\nxset\r\n$${LARGE}\r\n`;
    const pieces = [start, "v".repeat(LARGE), "\r\n$99999999999\r\n"];
    expect(feed(decoder, pieces)).toMatchObject({
      answers: ["no xset"],
      error: "ERR Protocol error: invalid bulk length",
    });
    const again = gated();
    const wrong = [start, "v".repeat(LARGE), "\r\nhello\r\n"];
    expect(feed(again.decoder, wrong).error).toBe("ERR Protocol error: expected '$', got 'h'");
  });
});

describe("A request is not judged", () => {
  it("when it is small, however it is cut: the answer does not depend on the network", () => {
    const { decoder, gate } = gated();
    const text = encode("xset", "key", "v".repeat(LARGE - 100)) + encode("ping");
    expect(feed(decoder, cut(text, [10])).answers).toEqual(["xset", "ping"]);
    expect(gate.asked).toEqual([]);
  });

  it("when all of it is here", () => {
    const { decoder, gate } = gated();
    expect(feed(decoder, [encode("xset", "key", "v".repeat(LARGE * 2))]).answers).toEqual(["xset"]);
    expect(gate.asked).toEqual([]);
  });

  it("twice, once it is let in", () => {
    const { decoder, gate } = gated();
    const text = encode("set", "key", "v".repeat(LARGE * 4)) + encode("xset", "k", "v");
    expect(feed(decoder, cut(text, [1_000])).answers).toEqual(["set", "xset"]);
    expect(gate.asked).toEqual(["set key of 3"]);
  });

  it("without a gate", () => {
    const fed = feed(new Decoder(), cut(encode("xset", "key", "v".repeat(LARGE * 4)), [1_000]));
    expect(fed.answers).toEqual(["xset"]);
  });
});

it("Any stream, cut anywhere, gives the same answers as whole, refusals aside", () => {
  const words = fc.array(fc.stringMatching(/^[a-z\r\n$*]{0,40}$/), { maxLength: 6 });
  const command = fc.tuple(fc.constantFrom("get", "xget", "set", "xset"), words);
  const stream = fc.array(command, { minLength: 1, maxLength: 8 });
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(stream, sizes, fc.integer({ min: 8, max: 60 }), (commands, pieces, unjudged) => {
      const decoder = new Decoder({ ...DEFAULT_LIMITS, unjudgedBytesMax: unjudged });
      decoder.gate = new NameGate();
      const text = commands.map(([name, rest]) => encode(name, ...rest)).join("");
      const fed = feed(decoder, cut(text, pieces));
      expect(fed.error).toBeNull();
      const names = fed.answers.map((answer) => answer.replace("no ", ""));
      expect(names).toEqual(
        commands.map(([name], index) => (names[index] === "name" ? "name" : name)),
      );
      expect(decoder.isSkipping).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});
