/**
 * ACL files with changed bytes: they give users, all of them, or are refused with the lines that are wrong. Nothing else
 * is thrown, no password is repeated, and what is written of the users is read back as the same.
 */
import { beforeAll, describe, expect, test } from "vitest";
import {
  createUserTable,
  formatAclFile,
  formatUserLine,
  parseAclFile,
  prepareRules,
} from "@ferrite/acl";
import type { AclFileUser, ParsedAclFile } from "@ferrite/acl";
import { makeRule } from "../compat/acl-rule-generator.ts";
import type { Prng } from "../compat/prng.ts";
import { report } from "../e2e/harness/cluster.ts";
import { CATALOGUE, CHEAP_PASSWORDS, NOW_MS, SECRET, STORED, VOCABULARY } from "./acl-words.ts";
import { announceSeed, roundName, roundRandom, rounds } from "./fuzz-seed.ts";
import { mutateStream } from "./mutate.ts";

/** FUZZ_FACTOR=10 makes it two hundred thousand. */
const ROUNDS = rounds(20_000);
const PARSE_MS_MAX = 1000;
/** As Redis keeps a password. */
const FAST_HASH = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

const TOKENS = [
  "\xef\xbb\xbf",
  "\r\n",
  "\n",
  "\r",
  "\t",
  "# a comment\n",
  '"',
  "'",
  "\\",
  '"\\x41"',
  "\\x4",
  "\0",
  "user ",
  "user default off\n",
  "user default on nopass\n",
  "user alice on\nuser alice off\n",
  "USER ",
  " >",
  ` >${SECRET}`,
  ` <${SECRET}`,
  ` #${FAST_HASH}`,
  ` #${STORED}`,
  ` !${FAST_HASH}`,
  "(",
  ")",
  " +@all",
  " ~*",
  "\x1a",
  "\xff",
];

const NAMES = [
  "alice",
  "bob",
  "\xe9ve",
  "\xff\xfe",
  "'q'",
  '"',
  "#hash",
  "user",
  "__proto__",
  "(x)",
];

/** As SAVE writes it, or as Redis and people do. */
function exampleFile(random: Prng): string {
  const rules = (): string[] =>
    Array.from({ length: random.below(6) }, () => makeRule(random, VOCABULARY));
  if (random.oneIn(3)) {
    const table = createUserTable(CATALOGUE);
    for (const name of NAMES) {
      if (random.oneIn(2)) table.setUser(name, [...rules(), `#${STORED}`], NOW_MS);
    }
    return formatAclFile(table.all(), { generatedAt: "now" }).toString("latin1");
  }
  const lines = NAMES.filter(() => random.oneIn(2)).map((name) => {
    const password = random.pick(["", ` #${FAST_HASH}`, ` #${STORED}`, " nopass"]);
    return `user ${quoted(name, random)} on${password} ${rules().filter(isOneWord).join(" ")}`;
  });
  const spaced = ["user default on nopass ~* &* +@all", ...lines, "# end", ""];
  return spaced.filter(() => !random.oneIn(25)).join(random.pick(["\n", "\n", "\r\n"]));
}

function isOneWord(rule: string): boolean {
  return rule.startsWith("(") || !/[\0-\x20"']/.test(rule);
}

function quoted(word: string, random: Prng): string {
  if (!random.oneIn(3) && !/^["']/.test(word)) return word;
  return `"${word.replaceAll(/[\\"]/g, (character) => `\\${character}`)}"`;
}

type Parse = (bytes: Uint8Array) => ParsedAclFile;
const parse: Parse = (bytes) => parseAclFile(bytes, CATALOGUE);

interface Verdict {
  readonly problem: string | null;
  readonly isTaken: boolean;
}

/** What is wrong with how a file was taken, or null. */
async function judge(read: Parse, bytes: Buffer): Promise<Verdict> {
  const startedMs = performance.now();
  let parsed: ParsedAclFile;
  try {
    parsed = read(bytes);
  } catch (error) {
    return { problem: `it threw ${String(error)}`, isTaken: false };
  }
  const tookMs = performance.now() - startedMs;
  if (tookMs > PARSE_MS_MAX) return { problem: `it took ${tookMs} ms`, isTaken: parsed.ok };
  const problem = parsed.ok ? await judgeUsers(parsed.users) : judgeErrors(parsed.errors, bytes);
  return { problem, isTaken: parsed.ok };
}

/** Only whole, right files come here: what they say has to be taken by the table, and be read back from what SAVE writes. */
async function judgeUsers(users: readonly AclFileUser[]): Promise<string | null> {
  const lines = await linesOf(users);
  if (typeof lines === "string") return lines;
  const table = createUserTable(CATALOGUE);
  const taken = table.seed(lines, NOW_MS);
  // A time that has passed is no mistake of the file.
  if (!taken.ok) return lines.some((line) => line.includes("expire-at=")) ? null : taken.errorText;
  if (table.get("default") === undefined) return "there is no default user";
  if (table.all().some((user) => user.passwords.join().includes(FAST_HASH))) {
    return "a fast hash is kept";
  }
  const written = parse(formatAclFile(table.all(), { generatedAt: "now" }));
  if (!written.ok) return `what is written of it is refused: ${written.errors[0].message}`;
  const readBack = await linesOf(written.users);
  if (typeof readBack === "string") return readBack;
  const copy = createUserTable(CATALOGUE);
  copy.seed(readBack, NOW_MS);
  const [one, other] = [table, copy].map((each) =>
    each
      .all()
      .map((user) => user.describe())
      .join("\n"),
  );
  return one === other
    ? null
    : `what is written of it is read back as other users: ${one}\n${other}`;
}

/** The lines of users, passwords hashed; or why there are none. */
async function linesOf(users: readonly AclFileUser[]): Promise<string[] | string> {
  const lines: string[] = [];
  for (const { name, rules } of users) {
    const prepared = await prepareRules(rules, undefined, CHEAP_PASSWORDS);
    if (!prepared.ok) return `it can not be prepared: ${prepared.errorText}`;
    lines.push(formatUserLine(name, prepared.rules));
  }
  return lines;
}

function judgeErrors(
  errors: readonly { readonly lineNumber: number; readonly message: string }[],
  bytes: Buffer,
): string | null {
  const text = bytes.toString("latin1");
  const lines = text.split("\n");
  if (errors.length === 0) return "it is refused without a reason";
  for (const { lineNumber, message } of errors) {
    if (!(lineNumber >= 0 && lineNumber <= lines.length)) return `line ${lineNumber} is nowhere`;
    if (!/^[^\r\n]+$/.test(message)) return `no words: ${JSON.stringify(message)}`;
    if (message.includes(SECRET) && isInItsPlace(lines[lineNumber - 1] ?? "")) {
      return `a password is repeated: ${message}`;
    }
  }
  return null;
}

/** A password that stands anywhere else in its line, or within quotes, is none to the parser. */
function isInItsPlace(line: string): boolean {
  if (/["']/.test(line)) return false;
  return line
    .split(SECRET)
    .slice(0, -1)
    .every((before) => / [<>]$/.test(before));
}

describe("An ACL file with changed bytes", () => {
  beforeAll(() => announceSeed("ACL file"));

  test("gives all its users, or is refused with its lines (F55, F58, F59, D6)", async () => {
    let taken = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const random = roundRandom(round);
      const file = Buffer.from(exampleFile(random), "latin1");
      const bytes = random.oneIn(6) ? file : mutateStream(file, random, TOKENS);
      const { problem, isTaken } = await judge(parse, bytes);
      if (problem !== null) {
        throw new Error(
          `${roundName(round)}: ${JSON.stringify(bytes.toString("latin1"))}: ${problem}`,
        );
      }
      if (isTaken) taken++;
    }
    report(`${ROUNDS} ACL files, ${taken} of them taken`);
    expect(taken).toBeGreaterThan(ROUNDS / 50);
    expect(taken).toBeLessThan(ROUNDS * 0.8);
  });

  test("may be as long as it likes", async () => {
    for (const piece of [
      "user a on\n",
      '"',
      "'",
      '"\\x',
      "# ",
      "user (",
      "\xef\xbb\xbf",
      "( ",
      " ",
      "\n",
    ]) {
      for (const text of [
        piece.repeat(200_000),
        `user default off ${piece.repeat(200_000)}`,
        `${piece.repeat(200_000)}x`,
      ]) {
        expect((await judge(parse, Buffer.from(text, "latin1"))).problem, piece).toBeNull();
      }
    }
  });

  test("canary: another error, a slow parser, a line that is not there, a repeated password, lost users are found", async () => {
    const refusing =
      (lineNumber: number, message: string): Parse =>
      () => ({ ok: false, errors: [{ lineNumber, message }] });
    const file = Buffer.from(`user default off\nuser a >${SECRET}\n`);
    const found = async (read: Parse): Promise<string> => (await judge(read, file)).problem ?? "";
    expect(await found(() => JSON.parse("{"))).toMatch(/^it threw SyntaxError/);
    expect(await found(refusing(9, "bad"))).toBe("line 9 is nowhere");
    expect(await found(refusing(2, ""))).toMatch(/^no words/);
    expect(await found(refusing(2, `not >${SECRET}`))).toMatch(/^a password is repeated/);
    expect(await found(() => ({ ok: true, users: [] }))).not.toBe("");
    const slow: Parse = (bytes) => {
      const untilMs = performance.now() + PARSE_MS_MAX + 10;
      while (performance.now() < untilMs);
      return parse(bytes);
    };
    expect(await found(slow)).toMatch(/^it took/);
  });
});
