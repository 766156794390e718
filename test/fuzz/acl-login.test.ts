/**
 * Names and passwords with changed bytes, given to what checks every login: who is let in is told by a model that knows
 * the passwords. Nothing is thrown, all refusals read the same, and what is stored of a password opens nothing.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { createUserTable, fastDigest, hashDigestSync } from "@ferrite/acl";
import type { UserTable } from "@ferrite/acl";
import type { Prng } from "../compat/prng.ts";
import { report } from "../e2e/harness/cluster.ts";
import { AuthThrottle } from "../../packages/node/src/security/auth-throttle.ts";
import { authenticationError } from "../../packages/node/src/security/authentication-result.ts";
import { Authenticator } from "../../packages/node/src/security/authenticator.ts";
import type { LoginAttempt } from "../../packages/node/src/security/authenticator.ts";
import { runHashingJob } from "../../packages/node/src/security/hashing/hashing-job.ts";
import { silentLogger } from "../../packages/node/src/server/logger.ts";
import { CATALOGUE, NOW_MS } from "./acl-words.ts";
import { announceSeed, roundName, roundRandom, rounds } from "./fuzz-seed.ts";
import { mutateStream, randomBytes } from "./mutate.ts";

/** FUZZ_FACTOR=10 makes it four hundred thousand. */
const ROUNDS = rounds(40_000);
/** Logins at the same time, so that checks of the same password meet. */
const AT_ONCE = 20;
const LOGIN_MS_MAX = 1000;

/** Byte strings; what a client may send as a password, and may not be able to type. */
const PASSWORDS = [
  "",
  "secret",
  "Secret",
  "secret\x00",
  "secret\x00more",
  "\x00",
  "p\xc3\xa4ssw\xc3\xb6rd",
  "p\xe4ssw\xf6rd",
  "\xff\xfe\xfd",
  "a b\tc\r\nd",
  "x".repeat(4096),
  `${"x".repeat(4095)}y`,
  "pbkdf2-sha256$1$00$00",
  fastDigest(Buffer.from("secret")).toString("hex"),
];

interface Account {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly passwords: readonly string[];
  readonly isOpen: boolean;
}

const ACCOUNTS: readonly Account[] = [
  { name: "alice", isEnabled: true, passwords: ["secret"], isOpen: false },
  { name: "Alice", isEnabled: true, passwords: ["Secret", "x".repeat(4096)], isOpen: false },
  { name: "off", isEnabled: false, passwords: ["secret", ""], isOpen: false },
  { name: "none", isEnabled: true, passwords: [], isOpen: false },
  { name: "empty", isEnabled: true, passwords: [""], isOpen: false },
  { name: "open", isEnabled: true, passwords: [], isOpen: true },
  { name: "closed", isEnabled: false, passwords: [], isOpen: true },
  {
    name: "\xc3\xa9ve",
    isEnabled: true,
    passwords: ["p\xc3\xa4ssw\xc3\xb6rd", "\x00"],
    isOpen: false,
  },
  { name: "__proto__", isEnabled: true, passwords: ["secret\x00", "\xff\xfe\xfd"], isOpen: false },
];

function stored(password: string, salt: number): string {
  const digest = fastDigest(Buffer.from(password, "latin1"));
  return hashDigestSync(digest, { salt: Buffer.alloc(16, salt), iterations: 1 });
}

function tableOf(accounts: readonly Account[]): UserTable {
  const table = createUserTable(CATALOGUE);
  for (const [salt, { name, isEnabled, passwords, isOpen }] of accounts.entries()) {
    const rules = passwords.map((password) => `#${stored(password, salt)}`);
    if (isEnabled) rules.push("on");
    if (isOpen) rules.push("nopass");
    expect(table.setUser(name, rules, NOW_MS).ok).toBe(true);
  }
  expect(table.setUser("default", ["off", "resetpass"], NOW_MS).ok).toBe(true);
  return table;
}

/** What a login with a stored form, or the digits of one, must never be. */
function storedTexts(table: UserTable): string[] {
  return table
    .all()
    .flatMap((user) => [
      ...user.passwords,
      ...user.passwords.map((password) => password.split("$").at(-1) ?? ""),
      ...user.passwords.map((password) => `#${password}`),
    ]);
}

function attemptOf(random: Prng, stolen: readonly string[]): { name: string; password: string } {
  const name = random.pick(ACCOUNTS).name;
  const password = random.oneIn(20) ? random.pick(stolen) : random.pick(PASSWORDS);
  return {
    name: random.oneIn(6) ? changed(name, random) : name,
    password: random.oneIn(3) ? changed(password, random) : password,
  };
}

function changed(text: string, random: Prng): string {
  const way = random.below(8);
  if (way === 0) return text.split("\x00")[0];
  if (way === 1) return `${text}\x00`;
  if (way === 2) return Buffer.from(text, "latin1").toString("utf8");
  if (way === 3)
    return randomBytes(random.below(random.oneIn(9) ? 16_384 : 32), random).toString("latin1");
  return mutateStream(Buffer.from(text, "latin1"), random).toString("latin1");
}

/** Whether the account that the model knows is to be let in. */
function isRight({ name, password }: { name: string; password: string }): boolean {
  const account = ACCOUNTS.find((each) => each.name === name);
  if (account === undefined || !account.isEnabled) return false;
  // To the server a password is bytes.
  return (
    account.isOpen || account.passwords.includes(Buffer.from(password, "latin1").toString("latin1"))
  );
}

type Check = Pick<Authenticator, "authenticate">;

function authenticator(table: UserTable): Authenticator {
  let sleeps = 0;
  return new Authenticator({
    users: () => table,
    credentialsRefusal: () => null,
    isProtected: () => true,
    policyIterations: () => 1,
    clusterNowMs: () => NOW_MS,
    hashing: { run: (job) => Promise.resolve(runHashingJob(job)) },
    throttle: new AuthThrottle({ isEnabled: false, maxDelayMs: 1 }),
    monotonicNowMs: () => sleeps++,
    sleep: () => Promise.resolve(),
    onRehash: () => {
      throw new Error("nothing is to be hashed anew");
    },
    logger: { ...silentLogger, error: fail, warn: fail },
    cacheEntriesMax: 5,
  });
}

function fail(fields: Record<string, unknown>, message: string): never {
  throw new Error(`it logged ${message}: ${JSON.stringify(fields)}`);
}

/** The one thing that a refused client is told. */
const REFUSAL = "WRONGPASS invalid username-password pair or user is disabled.";

/** What is wrong with the answer to a login, or null. */
async function judge(
  check: Check,
  { name, password }: { readonly name: string; readonly password: string },
): Promise<{ readonly problem: string | null; readonly isIn: boolean }> {
  const attempt: LoginAttempt = {
    name,
    password: Buffer.from(password, "latin1"),
    origin: "remote",
    address: "203.0.113.7",
  };
  const startedMs = performance.now();
  try {
    const result = await check.authenticate(attempt);
    const isIn = result.kind === "accepted";
    const tookMs = performance.now() - startedMs;
    const problem =
      isIn !== isRight({ name, password })
        ? `it is ${result.kind}`
        : isIn && result.user.name !== name
          ? `it is in as ${result.user.name}`
          : !isIn && authenticationError(result) !== REFUSAL
            ? `it is told ${authenticationError(result)}`
            : tookMs > LOGIN_MS_MAX
              ? `it took ${tookMs} ms`
              : null;
    return { problem, isIn };
  } catch (error) {
    return { problem: `it threw ${String(error)}`, isIn: false };
  }
}

describe("A login with changed bytes", () => {
  beforeAll(() => announceSeed("ACL login"));

  test("is let in with the right password and no other, and told the same in all other cases (F16, S13, S14)", async () => {
    const table = tableOf(ACCOUNTS);
    const stolen = storedTexts(table);
    const check = authenticator(table);
    let letIn = 0;
    for (let round = 1; round <= ROUNDS; round += AT_ONCE) {
      const random = roundRandom(round);
      const attempts = Array.from({ length: AT_ONCE }, () => attemptOf(random, stolen));
      const verdicts = await Promise.all(attempts.map((attempt) => judge(check, attempt)));
      for (const [at, { problem, isIn }] of verdicts.entries()) {
        if (problem !== null) {
          throw new Error(`${roundName(round)}: ${JSON.stringify(attempts[at])}: ${problem}`);
        }
        if (isIn) letIn++;
      }
    }
    report(`${ROUNDS} logins, ${letIn} of them let in`);
    expect(check.checksInFlight).toBe(0);
    expect(letIn).toBeGreaterThan(ROUNDS / 20);
    expect(letIn).toBeLessThan(ROUNDS / 2);
  });

  test("canary: one that lets in by a prefix, tells who is there, or throws is found", async () => {
    const table = tableOf(ACCOUNTS);
    const user = table.get("alice")!;
    const wrong = { name: "alice", password: "sec" };
    const found = async (check: Check): Promise<string> =>
      (await judge(check, wrong)).problem ?? "";
    expect(await found({ authenticate: () => ({ kind: "accepted", user }) })).toBe(
      "it is accepted",
    );
    expect(await found({ authenticate: () => ({ kind: "failed" }) })).toMatch(/^it is told/);
    expect(await found({ authenticate: () => Promise.reject(new Error("no")) })).toMatch(
      /^it threw/,
    );
    const right = { name: "alice", password: "secret" };
    const refusing: Check = {
      authenticate: () => ({ kind: "refused", reason: "wrong-password" }),
    };
    expect((await judge(refusing, right)).problem).toBe("it is refused");
  });
});
