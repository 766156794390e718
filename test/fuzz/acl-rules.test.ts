/**
 * Rules of users with changed words and bytes, given to the table that every node applies them with, and to what prepares
 * them for the log. A change is taken whole, or refused in one line of words without secrets and nothing is changed.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { createUserTable, prepareRules } from "@ferrite/acl";
import type { UserTable } from "@ferrite/acl";
import { makePasswordRule, makeRule } from "../compat/acl-rule-generator.ts";
import type { Prng } from "../compat/prng.ts";
import { report } from "../e2e/harness/cluster.ts";
import {
  CATALOGUE,
  CHEAP_PASSWORDS,
  decisionsOf,
  isSecretInPlace,
  NOW_MS,
  SECRET,
  STORED,
  VOCABULARY,
} from "./acl-words.ts";
import { announceSeed, roundName, roundRandom, rounds } from "./fuzz-seed.ts";
import { mutateStream, randomBytes } from "./mutate.ts";

/** FUZZ_FACTOR=10 makes it four hundred thousand. */
const ROUNDS = rounds(40_000);
const PREPARED_ROUNDS = rounds(5000);
const REPLICA_ROUNDS = rounds(5000);
const TABLE_ROUNDS = 200;
/** One change, of a few hundred bytes, on a busy machine. */
const CHANGE_MS_MAX = 1000;

const TOKENS = [
  "+",
  "-",
  "@",
  "|",
  "~",
  "%R~",
  "%RW~",
  "%",
  "&",
  "(",
  ")",
  " ",
  '"',
  "'",
  "\\",
  "\\x41",
  "\0",
  "\r\n",
  "*",
  "[a-z]",
  "allkeys",
  "+@all",
  "-@dangerous",
  `>${SECRET}`,
  `<${SECRET}`,
  `#${STORED}`,
  `!${STORED}`,
  "#",
  "expire-at=",
  "expire-in=60",
  "max-clients=3",
  "ops-per-sec=",
  "99999999999999999999",
  "__proto__",
  "constructor",
  "\xff",
];
const NAMES = [
  "alice",
  "bob",
  "",
  "default",
  "__proto__",
  "constructor",
  "a b",
  "\x00",
  "\xff",
  "(",
];

interface Change {
  readonly name: string;
  readonly rules: readonly string[];
}

function changeOf(random: Prng): Change {
  const rules = Array.from({ length: random.below(8) }, () => {
    if (random.oneIn(12)) return `${random.pick([">", "<"])}${SECRET}`;
    if (random.oneIn(12)) return `${random.pick(["#", "!"])}${STORED}`;
    if (random.oneIn(12)) return makePasswordRule(random);
    const rule = makeRule(random, VOCABULARY);
    return random.oneIn(3) ? mutated(rule, random) : rule;
  });
  const name = random.oneIn(20) ? randomBytes(random.below(12), random).toString("latin1") : "";
  return { name: name || random.pick(NAMES), rules };
}

function mutated(rule: string, random: Prng): string {
  return mutateStream(Buffer.from(rule, "latin1"), random, TOKENS).toString("latin1");
}

/** Every form a rule can have that is taken, in words of this test's own: what is none of them is garbage. */
const KEYWORD = new RegExp(
  `^(?:on|off|nopass|resetpass|reset|clearselectors|(?:skip-)?sanitize-payload|${[
    "(?:all|no)commands",
    "(?:all|reset)keys",
    "(?:all|reset)channels",
  ].join("|")})$`,
  "i",
);
const COMMAND_RULE = /^[+-](?:@[a-z]+|[a-z0-9._-]+(?:\|[^\0\t-\r ]*)?)$/i;
const PATTERN_RULE = /^(?:~|&|%[rw]{1,2}~)[^\0\t-\r ]*$/i;
const LIMIT_RULE = /^(?:expire-at|max-clients|ops-per-sec)=[0-9]{1,10}$/i;
const STORED_RULE = /^[#!]pbkdf2-sha256\$[1-9][0-9]*\$(?:[0-9a-f]{2}){8,64}\$[0-9a-f]{64}$/i;

function isKnownForm(rule: string): boolean {
  if (rule === "") return true;
  if (rule.startsWith("(")) return rule.endsWith(")");
  return [KEYWORD, COMMAND_RULE, PATTERN_RULE, LIMIT_RULE, STORED_RULE].some((form) =>
    form.test(rule),
  );
}

/** As they reach the table: a selector may have been split at its blanks. */
function inOnePiece(rules: readonly string[]): string[] {
  const whole: string[] = [];
  let open = false;
  for (const rule of rules) {
    if (open) whole[whole.length - 1] += ` ${rule}`;
    else whole.push(rule);
    open = (open || rule.startsWith("(")) && !rule.endsWith(")");
  }
  return whole;
}

const DEFAULT_LINE = "user default off";

type SetUser = Pick<UserTable, "setUser">;

/** What is wrong with how a change was taken, or null. */
function judge(
  table: UserTable,
  { name, rules }: Change,
  subject: SetUser = table,
): { readonly problem: string | null; readonly isTaken: boolean } {
  const before = table.stateHash();
  const startedMs = performance.now();
  let outcome: ReturnType<UserTable["setUser"]>;
  try {
    outcome = subject.setUser(name, rules, NOW_MS);
  } catch (error) {
    return { problem: `it threw ${String(error)}`, isTaken: false };
  }
  const tookMs = performance.now() - startedMs;
  const isTaken = outcome.ok;
  const problem =
    tookMs > CHANGE_MS_MAX
      ? `it took ${tookMs} ms`
      : outcome.ok
        ? judgeTaken(table, { name, rules })
        : judgeRefusal(outcome.errorText, rules, before === table.stateHash());
  return { problem, isTaken };
}

function judgeTaken(table: UserTable, { name, rules }: Change): string | null {
  const garbage = inOnePiece(rules).find((rule) => !isKnownForm(rule));
  if (garbage !== undefined) return `it takes ${JSON.stringify(garbage)}`;
  const user = table.get(name);
  if (user === undefined) return "there is no such user";
  const line = user.describe();
  const copy = createUserTable(CATALOGUE);
  const read = copy.seed(name === "default" ? [line] : [line, DEFAULT_LINE], NOW_MS);
  if (!read.ok) return `its line is not read back: ${line}: ${read.errorText}`;
  const twin = copy.get(name);
  if (twin === undefined) return `its line is of another user: ${line}`;
  if (twin.describe() !== line) return `its line is read back as another: ${twin.describe()}`;
  if (decisionsOf(twin) !== decisionsOf(user)) return `its line decides otherwise: ${line}`;
  return null;
}

function judgeRefusal(text: string, rules: readonly string[], isUnchanged: boolean): string | null {
  if (!isUnchanged) return "a refused change changed something";
  if (!/^[A-Z]+ [^\r\n]+$/.test(text)) return `no line of words: ${JSON.stringify(text)}`;
  if (text.includes(SECRET) && isSecretInPlace(rules)) return "it repeats a password";
  return null;
}

describe("Rules with changed words", () => {
  beforeAll(() => announceSeed("ACL rules"));

  test("are taken whole and mean what is printed of them, or nothing is changed (F27, S06)", () => {
    let taken = 0;
    let table = createUserTable(CATALOGUE);
    for (let round = 1; round <= ROUNDS; round++) {
      if (round % TABLE_ROUNDS === 0) table = createUserTable(CATALOGUE);
      const change = changeOf(roundRandom(round));
      const { problem, isTaken } = judge(table, change);
      if (problem !== null)
        throw new Error(`${roundName(round)}: ${JSON.stringify(change)}: ${problem}`);
      if (isTaken) taken++;
    }
    report(`${ROUNDS} changes of rules, ${taken} of them taken`);
    expect(taken).toBeGreaterThan(ROUNDS / 20);
    expect(taken).toBeLessThan(ROUNDS * 0.9);
  });

  test("leave the same users on a node that replayed all changes and on one that began with a snapshot", () => {
    let table = createUserTable(CATALOGUE);
    let other = createUserTable(CATALOGUE);
    for (let round = 1; round <= REPLICA_ROUNDS; round++) {
      const random = roundRandom(round);
      if (random.oneIn(300))
        [table, other] = [createUserTable(CATALOGUE), createUserTable(CATALOGUE)];
      if (random.oneIn(5)) {
        const record: unknown = JSON.parse(JSON.stringify(table.record()));
        other = createUserTable(CATALOGUE);
        other.restore(record);
      }
      const change = changeOf(random);
      const outcomes = [table, other].map((each) =>
        each.setUser(change.name, change.rules, NOW_MS),
      );
      const texts = outcomes.map((outcome) => (outcome.ok ? "OK" : outcome.errorText));
      const where = `${roundName(round)}: ${JSON.stringify(change)}`;
      expect(texts[1], where).toBe(texts[0]);
      expect(other.stateHash(), where).toBe(table.stateHash());
    }
  });

  test("leave a password nowhere on the way to the log (S13)", async () => {
    let prepared = 0;
    for (let round = 1; round <= PREPARED_ROUNDS; round++) {
      const { rules } = changeOf(roundRandom(-round));
      const result = await prepareRules(rules, undefined, CHEAP_PASSWORDS);
      const said = result.ok ? result.rules.join(" ") : result.errorText;
      const leaks = isSecretInPlace(rules) && said.includes(SECRET);
      if (leaks || (result.ok && result.rules.some((rule) => /^[<>]/.test(rule)))) {
        throw new Error(`${roundName(-round)}: ${JSON.stringify(rules)} became ${said}`);
      }
      if (result.ok) prepared++;
    }
    expect(prepared).toBeGreaterThan(PREPARED_ROUNDS / 20);
  });

  test("may be as many and as long as they like: the time grows with their bytes, not faster", () => {
    const soups = [
      "+@all",
      "-get",
      "(~a",
      "~*?*?*?",
      "%R~a",
      "((((",
      '("',
      "+a|",
      "\\",
      "expire-at=1",
    ];
    for (const word of soups) {
      const table = createUserTable(CATALOGUE);
      for (const rules of [
        [word.repeat(30_000)],
        Array.from({ length: 20_000 }, () => word),
        [`(${`${word} `.repeat(20_000)})`],
      ]) {
        const { problem } = judge(table, { name: "alice", rules });
        expect(problem, word).toBeNull();
      }
    }
  });

  test("canary: a table that throws, changes half, repeats a password, takes garbage or is slow is found", () => {
    const table = createUserTable(CATALOGUE);
    const found = (setUser: UserTable["setUser"], rules: readonly string[] = ["on"]): string => {
      return judge(table, { name: "alice", rules }, { setUser }).problem ?? "";
    };
    const refuse =
      (errorText: string): UserTable["setUser"] =>
      () => ({ ok: false, errorText });
    expect(found(() => JSON.parse("{"))).toMatch(/^it threw/);
    const halfDone: UserTable["setUser"] = (name) => {
      table.setUser(name, ["on", "~half"], NOW_MS);
      return { ok: false, errorText: "ERR no" };
    };
    expect(found(halfDone)).toBe("a refused change changed something");
    expect(found(refuse(`ERR not '>${SECRET}'`), [`>${SECRET}`])).toBe("it repeats a password");
    expect(found(refuse("ERR a\r\nb"))).toMatch(/^no line of words/);
    const lenient: UserTable["setUser"] = (name) => table.setUser(name, ["on"], NOW_MS);
    expect(found(lenient, ["onn"])).toBe('it takes "onn"');
    const slow: UserTable["setUser"] = (...change) => {
      const untilMs = performance.now() + CHANGE_MS_MAX + 10;
      while (performance.now() < untilMs);
      return table.setUser(...change);
    };
    expect(found(slow)).toMatch(/^it took/);
  });
});
