/**
 * Configuration files with changed bytes: they give a configuration, or an error that names every line it is about.
 * Nothing else is thrown, and it never takes long.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { ConfigError, parseConfig, SETTINGS } from "@ferrite/node/config";
import type { ConfigSources, HostFacts } from "@ferrite/node/config";
import type { Prng } from "../compat/prng.ts";
import { announceSeed, roundName, roundRandom, rounds } from "./fuzz-seed.ts";
import { mutateStream } from "./mutate.ts";

const ROUNDS = rounds(10_000);
const PARSE_MS_MAX = 1000;
const PASSWORD = "hunter2";
const FILE = "ferrite.conf";
const HOST: HostFacts = { hostname: "host", workingDirectory: "/srv", isTerminal: false };

const TOKENS = [
  '"',
  "'",
  "\\",
  "\\x4",
  "\n",
  "\r\n",
  " ",
  "#",
  "yes",
  "-1",
  "0",
  "1e9",
  "9223372036854775808",
  "64mb",
  "1kb2",
  "NaN",
  "0x10",
  "port 1\nport 2\n",
  "requirepass hunter2\n",
  "requirepass hunter2 more\n",
  "include other.conf\n",
  "peers a=h:1,a=h:2\n",
  "bind * -::1\n",
  "__proto__ x\n",
  "constructor x\n",
  "\uFEFF",
  "\0",
  "é",
];

/** Every setting with its default, and a redis.conf as people have them. */
function exampleFile(random: Prng): string {
  const settings = Object.values(SETTINGS).map(({ name, defaultText }) => {
    return `${name} ${random.oneIn(2) ? JSON.stringify(defaultText) : defaultText || '""'}`;
  });
  const redis = ['save ""', "appendonly yes", "databases 1", "daemonize no", "# a comment", ""];
  const lines = [...settings, ...redis].filter(() => !random.oneIn(3));
  return lines.join(random.pick(["\n", "\r\n"]));
}

/** A password that stands anywhere else is no password to the parser. */
function isInItsPlace(content: string): boolean {
  const lines = content.split("\n").filter((line) => line.includes(PASSWORD));
  return lines.every((line) => /^\s*"?requirepass"?\s/i.test(line));
}

type Parse = (sources: ConfigSources, host: HostFacts) => unknown;

/** What is wrong with how a file was taken, or null. */
function judge(parse: Parse, content: string): { problem: string | null; refused: boolean } {
  const startedMs = performance.now();
  let refused = false;
  try {
    parse({ flags: [], environment: {}, file: { path: FILE, content } }, HOST);
  } catch (error) {
    if (!(error instanceof ConfigError)) return { problem: `threw ${String(error)}`, refused };
    refused = true;
    const lines = content.split("\n").length;
    for (const { source, text } of error.problems) {
      const match = /^ferrite\.conf:(\d+)$/.exec(source);
      const line = Number(match?.[1]);
      // Settings that do not fit together may blame a default.
      const isPlaced = source === "default" || (line >= 1 && line <= lines);
      if (!isPlaced || text === "") return { problem: `a problem of nowhere: ${source}`, refused };
    }
    if (error.problems.length === 0) return { problem: "refused without a problem", refused };
    if (error.message.includes(PASSWORD) && isInItsPlace(content)) {
      return { problem: "a password is repeated", refused };
    }
  }
  const tookMs = performance.now() - startedMs;
  return { problem: tookMs > PARSE_MS_MAX ? `it took ${tookMs} ms` : null, refused };
}

describe("A configuration file with changed bytes", () => {
  beforeAll(() => announceSeed("configuration file"));

  test("gives a configuration, or is refused with its lines", () => {
    let refused = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const random = roundRandom(round);
      const file = Buffer.from(exampleFile(random), "latin1");
      const content = mutateStream(file, random, TOKENS).toString(
        random.oneIn(2) ? "utf8" : "latin1",
      );
      const verdict = judge(parseConfig, content);
      expect(verdict.problem, `${roundName(round)}:\n${content}`).toBeNull();
      if (verdict.refused) refused++;
    }
    expect(refused).toBeGreaterThan(ROUNDS / 4);
    expect(refused).toBeLessThan(ROUNDS);
  });

  test("may be as long as it likes", () => {
    for (const line of ["port 6379\n", '"\n', "'", '"\\x', "# ", "bind ", "peers a=h:1,"]) {
      const content = line.repeat(100_000);
      expect(judge(parseConfig, content).problem, line).toBeNull();
    }
  });

  test("canary: another error, a slow parser, a line that is not there, a repeated password are found", () => {
    const refusing =
      (source: string, text: string): Parse =>
      () => {
        throw new ConfigError([{ setting: null, source, text }]);
      };
    const crashing: Parse = () => JSON.parse("{");
    expect(judge(crashing, "a").problem).toMatch(/^threw SyntaxError/);
    expect(judge(refusing(`${FILE}:9`, "bad"), "a\nb").problem).toMatch(/^a problem of nowhere/);
    expect(judge(refusing("somewhere", "bad"), "a").problem).toMatch(/^a problem of nowhere/);
    expect(judge(refusing(`${FILE}:1`, "no hunter2"), "a").problem).toBe("a password is repeated");
    const slow: Parse = () => {
      const untilMs = performance.now() + PARSE_MS_MAX + 10;
      while (performance.now() < untilMs);
    };
    expect(judge(slow, "a").problem).toMatch(/^it took/);
  });

  test("the settings are those of the documentation: the fuzz reaches every one", () => {
    const path = fileURLToPath(new URL("../../docs/configuration.md", import.meta.url));
    const documentation = readFileSync(path, "utf8");
    const names = Object.values(SETTINGS).map(({ name }) => name);
    expect(names.filter((name) => !documentation.includes(name))).toEqual([]);
    const file =
      exampleFile(roundRandom(1)) + exampleFile(roundRandom(2)) + exampleFile(roundRandom(3));
    expect(names.filter((name) => file.includes(name)).length).toBeGreaterThan(names.length / 2);
  });
});
