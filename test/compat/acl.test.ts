/**
 * Access control of a running node and of redis-server: made-up rules for the same users, then everything that can be
 * seen of them, then the users themselves. COMPAT_ACL_RUNS=n runs more, COMPAT_FIRST_SEED=n starts elsewhere; a failure
 * prints the seed and the shortest story that fast-check finds.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { report, TestCluster } from "../e2e/harness/cluster.ts";
import { freePorts } from "../e2e/harness/free-ports.ts";
import { makePasswordRule, makeRule } from "./acl-rule-generator.ts";
import type { AclVocabulary } from "./acl-rule-generator.ts";
import { makeAclRequest } from "./acl-request-generator.ts";
import { LOGIN_USERS, ScenarioRunner } from "./acl-scenario.ts";
import type { Scenario } from "./acl-scenario.ts";
import { commonVocabulary } from "./acl-vocabulary.ts";
import { Prng } from "./prng.ts";
import type { RedisServer } from "./redis-server.ts";
import { missingRedis, startRedis } from "./redis-server.ts";
import { SocketTarget } from "./socket-target.ts";
import type { Session, Target } from "./target.ts";

const missing = missingRedis();
const RUNS = Number(process.env["COMPAT_ACL_RUNS"] ?? 120);
const firstSeed = Number(process.env["COMPAT_FIRST_SEED"] ?? 1);
const RUNS_TIMEOUT_MS = 1_000_000;
/** Besides those who log in: names that are refused, and such as Redis takes. */
const OTHER_USERS = [
  "Alice",
  "a b",
  "",
  "x\x00",
  "tab\t",
  "\xff\xfe",
  "'q\"",
  "a".repeat(100),
  "#x",
];

/** Whatever the generator makes of one number: stories are shortened, their words are not. */
function made<Made>(make: (random: Prng) => Made): fc.Arbitrary<Made> {
  return fc.noShrink(fc.nat()).map((seed) => make(new Prng(seed)));
}

function scenarios(words: AclVocabulary): fc.Arbitrary<Scenario> {
  const login = fc.constantFrom(...LOGIN_USERS);
  const rules = fc.array(
    made((random) => makeRule(random, words)),
    { maxLength: 6, size: "max" },
  );
  const asked = made((random) => makeAclRequest(random));
  return fc.record({
    protocol: fc.constantFrom<2 | 3>(2, 3),
    changes: fc.array(
      fc.record({
        user: fc.oneof({ weight: 9, arbitrary: login }, fc.constantFrom(...OTHER_USERS)),
        words: rules,
      }),
      { minLength: 4, maxLength: 14, size: "max" },
    ),
    dryRuns: fc.array(
      fc.record({
        user: fc.oneof({ weight: 30, arbitrary: login }, fc.constant("nobody")),
        words: asked,
      }),
      { minLength: 10, maxLength: 60, size: "max" },
    ),
    requests: fc.array(fc.record({ user: login, words: asked }), {
      minLength: 10,
      maxLength: 60,
      size: "max",
    }),
  });
}

function passwordScenarios(): fc.Arbitrary<Scenario> {
  const words = fc.array(made(makePasswordRule), { minLength: 1, maxLength: 2 });
  return fc.record({
    protocol: fc.constantFrom<2 | 3>(2, 3),
    changes: fc.array(fc.record({ user: fc.constantFrom("alice", "bob"), words }), {
      maxLength: 6,
      size: "max",
    }),
    dryRuns: fc.constant([]),
    requests: fc.constant([]),
  });
}

describe.skipIf(missing !== null)("Access control is as in redis-server", () => {
  let redis: RedisServer;
  let cluster: TestCluster | undefined;
  let node: Target;
  let words: AclVocabulary;

  beforeAll(async () => {
    const [port] = await freePorts(1);
    redis = await startRedis(port);
    cluster = await TestCluster.start({ nodes: 1 });
    node = new SocketTarget("ferrite", { host: "127.0.0.1", port: cluster.nodes[0].port });
    const sessions = [await redis.target.open(2), await node.open(2)];
    words = await commonVocabulary(sessions[0], sessions[1]);
    for (const session of sessions) await session.close();
  });
  afterAll(async () => {
    await cluster?.close();
    await redis.stop();
  });

  /** Tells the stories to both. */
  async function tell(stories: fc.Arbitrary<Scenario>, numRuns: number): Promise<number[]> {
    let compared = 0;
    let denied = 0;
    const explained = new Map<string, number>();
    const runner = new ScenarioRunner(redis.target, node);
    await fc.assert(
      fc.asyncProperty(stories, async (scenario) => {
        const result = await runner.run(scenario);
        compared += result.compared;
        denied += result.denied;
        for (const [reason, count] of result.explained) {
          explained.set(reason, (explained.get(reason) ?? 0) + count);
        }
        expect(result.differences.join("\n")).toBe("");
      }),
      { seed: firstSeed, numRuns },
    );
    report(`${numRuns} stories: ${compared} replies compared, ${denied} of them refusals`);
    return [compared, denied];
  }

  test(
    "in what rules mean, how they are printed, and whom they stop (D9)",
    { timeout: RUNS_TIMEOUT_MS },
    async () => {
      const [compared, denied] = await tell(scenarios(words), RUNS);
      expect(denied).toBeGreaterThan(compared / 20);
      expect(denied).toBeLessThan(compared * 0.8);
    },
  );

  test(
    "in what rules about passwords are taken and how many there are then",
    { timeout: RUNS_TIMEOUT_MS },
    async () => {
      await tell(passwordScenarios(), Math.ceil(RUNS / 10));
    },
  );

  test("and a server that is not is found: the comparison can fail", async () => {
    const lenient: Target = {
      name: "a node that denies no DEL",
      open: async (protocol) => pardoning(await node.open(protocol)),
    };
    const story: Scenario = {
      protocol: 2,
      changes: [{ user: "alice", words: ["+@all", "-del", "~*"] }],
      dryRuns: [],
      requests: [{ user: "alice", words: ["DEL", "a"] }],
    };
    const runner = new ScenarioRunner(redis.target, lenient);
    const { differences } = await runner.run(story);
    expect(differences).toHaveLength(1);
    expect(differences[0]).toContain('"DEL" "a"');
  });
});

function pardoning(session: Session): Session {
  return {
    exchange: async (requests) => {
      const replies = await session.exchange(requests);
      return replies.map((reply) =>
        reply.toString().includes("'del' command") ? Buffer.from(":1\r\n") : reply,
      );
    },
    clear: () => session.clear(),
    close: () => session.close(),
  };
}
