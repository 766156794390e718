import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCommandTable } from "../../src/commands/all-commands.ts";
import type { CommandSpec, ReadCommand } from "../../src/commands/command.ts";
import { extractKeys } from "../../src/commands/key-extraction.ts";
import { CommandTable } from "../../src/commands/table.ts";
import { Argv } from "../../src/resp/argv.ts";

const table = createCommandTable();

function toArgv(...words: readonly string[]): Argv {
  const argv = new Argv();
  argv.reset(Buffer.from(words.join(""), "latin1"));
  let at = 0;
  for (const word of words) argv.push(at, (at += word.length));
  return argv;
}

/** A read with these key specifications and nothing else worth mentioning. */
function readWith(facts: Partial<ReadCommand>): ReadCommand {
  return {
    kind: "read",
    name: "made-up",
    summary: "",
    complexity: "",
    since: "1.0.0",
    group: "ferrite",
    arity: -1,
    flags: [],
    categories: [],
    keySpecs: [],
    arguments: [],
    run: () => {},
    ...facts,
  };
}

describe("The table", () => {
  test("finds every command in any case", () => {
    const all = table.commands.filter((command) => command.kind !== "container");
    expect(all.length).toBeGreaterThan(40);
    for (const command of all) {
      const argv = toArgv(
        command.name,
        ...Array.from({ length: Math.abs(command.arity) - 1 }, () => "x"),
      );
      expect(table.lookup(argv)).toBe(command);
      const capitals = toArgv(
        command.name.toUpperCase(),
        ...Array.from({ length: Math.abs(command.arity) - 1 }, () => "x"),
      );
      expect(table.lookup(capitals)).toBe(command);
    }
  });

  test("finds sub-commands in any case, and by full name", () => {
    expect(table.lookup(toArgv("oBJect", "enCODing", "k"))?.name).toBe("object|encoding");
    expect(table.byName("OBJECT|Encoding")?.name).toBe("object|encoding");
    expect(table.byName("object")?.kind).toBe("container");
    expect(table.byName("object|encoding|x")).toBeNull();
    expect(table.byName("get|x")).toBeNull();
  });

  test("finds nothing for names that are only nearly right", () => {
    const name = fc.constantFrom("get", "set", "object", "mget");
    fc.assert(
      fc.property(name, fc.nat({ max: 7 }), fc.integer({ min: 0, max: 255 }), (word, at, byte) => {
        const bytes = Buffer.from(word);
        if (at >= bytes.length) return;
        bytes[at] = byte;
        const changed = bytes.toString("latin1");
        fc.pre(table.commands.every((command) => command.name !== changed.toLowerCase()));
        expect(table.lookup(toArgv(changed, "a", "b"))).toBeNull();
      }),
      { numRuns: 2000 },
    );
  });

  test("finds nothing with a wrong number of arguments, and says so", () => {
    expect(table.lookup(toArgv("get"))).toBeNull();
    expect(table.refusal(toArgv("get"))).toBe("ERR wrong number of arguments for 'get' command");
    expect(table.lookup(toArgv("get", "a", "b"))).toBeNull();
    expect(table.lookup(toArgv("mget"))).toBeNull();
    expect(table.lookup(toArgv("object"))).toBeNull();
    expect(table.resolve(toArgv("get"))?.name).toBe("get");
    expect(table.resolve(toArgv("object"))?.name).toBe("object");
  });

  test("tells writes from the rest", () => {
    expect(table.lookupWrite(toArgv("set", "a", "b"))?.name).toBe("set");
    expect(table.lookupWrite(toArgv("get", "a"))).toBeNull();
    expect(table.lookupWrite(toArgv("command"))).toBeNull();
    expect(table.lookupWrite(toArgv("nothing"))).toBeNull();
  });

  test("answers COMMAND alone with the container's own behaviour", () => {
    expect(table.lookup(toArgv("command"))?.kind).toBe("edge");
  });

  test("survives an empty request", () => {
    expect(table.lookup(new Argv())).toBeNull();
    expect(table.resolve(new Argv())).toBeNull();
    expect(table.refusal(new Argv())).toContain("unknown command ''");
  });

  test("refuses to be built with one name twice, with capitals, or with a stray sub-command", () => {
    const one = readWith({ name: "one" });
    expect(() => new CommandTable([one, one])).toThrow("command one exists twice");
    expect(() => new CommandTable([readWith({ name: "One" })])).toThrow("not lower case");
    const container: CommandSpec = {
      ...one,
      kind: "container",
      subcommands: [readWith({ name: "two|x" })],
    };
    expect(() => new CommandTable([container])).toThrow("sub-command two|x is not named after one");
  });
});

describe("Every command of the table", () => {
  const all = table.commands.flatMap((command) =>
    command.kind === "container" ? [command, ...command.subcommands] : [command],
  );

  test.each(all.map((command) => [command.name, command] as const))(
    "%s is flagged as what it is",
    (_name, command) => {
      if (command.kind === "container") return;
      expect(command.flags.includes("write")).toBe(command.kind === "write");
      // A command that neither reads nor writes keys has no key specifications.
      expect(command.kind === "edge" && command.keySpecs.length > 0).toBe(false);
    },
  );
});

describe("Keys are found by specification", () => {
  function keysOf(command: ReadCommand, ...words: readonly string[]): readonly number[] | null {
    return extractKeys(command, toArgv(...words))?.map(({ index }) => index) ?? null;
  }

  test("a range that counts from the end, with steps", () => {
    const command = readWith({
      keySpecs: [
        {
          flags: ["RO"],
          beginSearch: { kind: "index", index: 1 },
          findKeys: { kind: "range", lastKey: -2, keyStep: 2, limit: 0 },
        },
      ],
    });
    expect(keysOf(command, "x", "a", "1", "b", "2", "end")).toEqual([1, 3]);
  });

  test("a keyword and the first half of what follows it", () => {
    const command = readWith({
      keySpecs: [
        {
          flags: ["RO"],
          beginSearch: { kind: "keyword", keyword: "STREAMS", startFrom: 1 },
          findKeys: { kind: "range", lastKey: -1, keyStep: 1, limit: 2 },
        },
      ],
    });
    expect(keysOf(command, "xread", "count", "2", "streams", "a", "b", "0", "0")).toEqual([4, 5]);
    expect(keysOf(command, "xread", "count", "2")).toEqual([]);
  });

  test("a keyword searched from the end", () => {
    const command = readWith({
      keySpecs: [
        {
          flags: ["RO"],
          beginSearch: { kind: "keyword", keyword: "KEYS", startFrom: -2 },
          findKeys: { kind: "range", lastKey: -1, keyStep: 1, limit: 0 },
        },
      ],
    });
    expect(keysOf(command, "migrate", "h", "p", "", "keys", "a", "b")).toEqual([5, 6]);
  });

  test("S07: a number of keys, also one that is none, negative or too large", () => {
    const command = readWith({
      keySpecs: [
        {
          flags: ["RO"],
          beginSearch: { kind: "index", index: 2 },
          findKeys: { kind: "keynum", keyNumberIndex: 0, firstKey: 1, keyStep: 1 },
        },
      ],
    });
    expect(keysOf(command, "eval", "s", "2", "a", "b", "c")).toEqual([3, 4]);
    expect(keysOf(command, "eval", "s", "0", "a")).toEqual([]);
    expect(keysOf(command, "eval", "s", "999999999", "a", "b")).toEqual([3, 4]);
    expect(keysOf(command, "eval", "s", "-1", "a")).toBeNull();
    expect(keysOf(command, "eval", "s", "x", "a")).toBeNull();
    expect(keysOf(command, "eval", "s")).toBeNull();
  });

  test("what is no key is left out", () => {
    const command = readWith({
      keySpecs: [
        {
          flags: ["RO", "not_key"],
          beginSearch: { kind: "index", index: 1 },
          findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
        },
      ],
    });
    expect(keysOf(command, "x", "a")).toEqual([]);
  });
});
