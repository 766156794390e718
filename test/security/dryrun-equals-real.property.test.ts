/**
 * What ACL DRYRUN says is what happens: for made-up users and every command of the table with made-up arguments, the same
 * request is asked about and then really sent by that user (S12). SECURITY_RUNS=n runs more, SECURITY_SEED=n others.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeRule } from "../compat/acl-rule-generator.ts";
import type { AclVocabulary } from "../compat/acl-rule-generator.ts";
import { commonVocabulary } from "../compat/acl-vocabulary.ts";
import { CommandGenerator } from "../compat/command-generator.ts";
import { Prng } from "../compat/prng.ts";
import { encodeWords } from "../compat/requests.ts";
import { SocketTarget } from "../compat/socket-target.ts";
import type { Session } from "../compat/target.ts";
import { report, TestCluster } from "../e2e/harness/cluster.ts";

const RUNS = Number(process.env["SECURITY_RUNS"] ?? 40);
const SEED = Number(process.env["SECURITY_SEED"] ?? 1);
const TIMEOUT_MS = 1_000_000;
const USER = "alice";
/** A command that says nothing when it may run: what comes later is not waited for. */
const SILENCE_MS = 300;

const ARGUMENTS = [
  "a",
  "b",
  "key:1",
  "K",
  "",
  "\x00\xff",
  "0",
  "1",
  "2",
  "-1",
  "x",
  "*",
  "GET",
  "\xe9",
];
/** Ends the connection, changes whom it belongs to, or goes on answering: each gets a connection of its own. */
const ON_ITS_OWN = /^(auth|hello|quit|reset|client\|kill|client\|reply|ferrite\.audit\|follow)$/;
/** May change users, files or settings for what comes after: sent only where it will be denied. */
const NOT_WHEN_ALLOWED = /^(acl\|(load|save|setuser|deluser)|config\|(set|rewrite))$/;
/** Else it would wait. */
const FIXED_ARGUMENTS: Readonly<Record<string, readonly string[]>> = { wait: ["0", "0"] };

interface Story {
  readonly rules: readonly string[];
  /** Chooses the arguments. */
  readonly seed: number;
}

let cluster: TestCluster | undefined;
let node: SocketTarget;
let admin: Session;
let words: AclVocabulary;

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 1 });
  node = new SocketTarget("ferrite", { host: "127.0.0.1", port: cluster.nodes[0].port });
  admin = await node.open(2);
  words = await commonVocabulary(admin, admin);
});
afterAll(async () => {
  await admin.close();
  await cluster?.close();
});

/** Every command and sub-command with some arguments, and requests that make sense. */
function requestsOf(random: Prng): string[][] {
  const all = [...words.commands, ...words.containers, ...words.subcommands].map((name) => {
    const some = Array.from({ length: random.below(5) }, () => random.pick(ARGUMENTS));
    return [...name.split("|"), ...(FIXED_ARGUMENTS[name] ?? some)];
  });
  const sensible = Array.from({ length: 60 }, () => new CommandGenerator(random).next());
  return [...all, ...sensible].filter(([name]) => /^[\w.]+$/.test(name));
}

function nameOf([name, second = ""]: readonly string[]): string {
  const full = `${name}|${second}`.toLowerCase();
  return words.subcommands.includes(full) ? full : name.toLowerCase();
}

/** The first thing that is said to a request on a connection of its own; null when nothing is. */
async function firstReply(request: readonly string[]): Promise<string | null> {
  const session = await node.open(2);
  const silence = new Promise<null>((resolve) => {
    setTimeout(() => resolve(null), SILENCE_MS);
  });
  await session.exchange([encodeWords(["AUTH", USER, "any"])]);
  const answer = session.exchange([encodeWords(request)]).then(
    ([reply]) => reply.toString("latin1"),
    () => null,
  );
  const reply = await Promise.race([answer, silence]);
  await session.close();
  return reply;
}

async function ask(session: Session, requests: readonly (readonly string[])[]): Promise<string[]> {
  const replies = await session.exchange(requests.map(encodeWords));
  return replies.map((reply) => reply.toString("latin1"));
}

/** What DRYRUN's answer has to mean for the real one. */
function expectedOf(dryRun: string): "runs" | "command" | "key" | "no request" {
  if (dryRun === "+OK\r\n") return "runs";
  if (dryRun.startsWith("-ERR ")) return "no request";
  if (/no permissions to run the '[^']+' command/.test(dryRun)) return "command";
  if (/no permissions to access the '[^]*' key/.test(dryRun)) return "key";
  throw new Error(`DRYRUN said ${dryRun}`);
}

function contradicts(dryRun: string, real: string | null): boolean {
  const isDenied = real !== null && real.startsWith("-NOPERM ");
  const expected = expectedOf(dryRun);
  if (expected === "runs") return isDenied;
  if (expected === "no request") return real === null || !real.startsWith("-ERR ");
  if (!isDenied) return true;
  return expected === "command"
    ? real.toLowerCase() !== noPermission(dryRun)
    : !real.includes("access one of the keys");
}

/** The words of a real denial: those of DRYRUN. */
function noPermission(dryRun: string): string {
  const text = dryRun.slice(dryRun.indexOf("\r\n") + 2);
  return `-noperm ${text.toLowerCase()}`;
}

async function tell({ rules, seed }: Story): Promise<{ denied: number; asked: number }> {
  const random = new Prng(seed);
  const setUp = rules.map((rule) => ["ACL", "SETUSER", USER, rule]);
  await ask(admin, [["ACL", "DELUSER", USER], ...setUp, ["ACL", "SETUSER", USER, "on", "nopass"]]);
  const requests = requestsOf(random);
  const dryRuns = await ask(
    admin,
    requests.map((request) => ["ACL", "DRYRUN", USER, ...request]),
  );
  const isPlain = (at: number): boolean => {
    const name = nameOf(requests[at]);
    return (
      !ON_ITS_OWN.test(name) && !(NOT_WHEN_ALLOWED.test(name) && expectedOf(dryRuns[at]) === "runs")
    );
  };
  const plain = [...requests.keys()].filter(isPlain);
  const session = await node.open(2);
  const [, ...answers] = await ask(session, [
    ["AUTH", USER, "any"],
    ...plain.map((at) => requests[at]),
  ]);
  await session.close();
  const real = new Map<number, string | null>(plain.map((at, position) => [at, answers[position]]));
  for (const [at, request] of requests.entries()) {
    if (ON_ITS_OWN.test(nameOf(request))) real.set(at, await firstReply(request));
  }
  for (const [at, reply] of real) {
    if (contradicts(dryRuns[at], reply)) {
      throw new Error(`${JSON.stringify(requests[at])}: DRYRUN ${dryRuns[at]}, really ${reply}`);
    }
  }
  const denied = dryRuns.filter((dryRun) => !/^[+-]/.test(dryRun)).length;
  return { denied, asked: real.size };
}

test(
  "ACL DRYRUN equals the real decision, for made-up users and every command (S12)",
  { timeout: TIMEOUT_MS },
  async () => {
    let denied = 0;
    let asked = 0;
    const rule = fc.noShrink(fc.nat()).map((seed) => makeRule(new Prng(seed), words));
    const stories = fc.record({
      rules: fc.array(rule, { maxLength: 12, size: "max" }),
      seed: fc.noShrink(fc.nat()),
    });
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        const told = await tell(story);
        denied += told.denied;
        asked += told.asked;
      }),
      { seed: SEED, numRuns: RUNS },
    );
    report(`${RUNS} users, ${asked} requests really sent, ${denied} of them denied`);
    expect(denied).toBeGreaterThan(asked / 10);
    expect(denied).toBeLessThan(asked * 0.9);
  },
);

test("canary: an answer that contradicts what DRYRUN said is found", () => {
  const command = "$58\r\nThis user has no permissions to run the 'del' command\r\n";
  const real = "-NOPERM this user has no permissions to run the 'del' command\r\n";
  expect(contradicts(command, real)).toBe(false);
  expect(contradicts(command, ":1\r\n")).toBe(true);
  expect(contradicts(command, real.replace("del", "get"))).toBe(true);
  expect(contradicts("+OK\r\n", real)).toBe(true);
  expect(contradicts("+OK\r\n", null)).toBe(false);
  expect(contradicts("-ERR Command 'x' not found\r\n", real)).toBe(true);
});
