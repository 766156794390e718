/**
 * Ten thousand wrong passwords, as fast as they can be sent: the cluster keeps its leader and serves everybody else as if
 * nothing were (S25). How fast is the benchmark's question; here it is whether anything goes wrong.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { TestCluster, report } from "../../e2e/harness/cluster.ts";
import { RespClient, RespError, type RespValue } from "../../e2e/harness/resp-client.ts";
import { settled } from "../../e2e/load/outcome.ts";
import { Load } from "../../e2e/load/load.ts";

/** More than may wait for a hash: those beyond are told so at once, and try the next password. */
const CONNECTIONS = 5000;
const ATTEMPTS = 10_000;
const TIMEOUT_MS = 300_000;
/** What a wrong password may be answered with: it is wrong, or there are too many at once. */
const REFUSAL =
  /^(WRONGPASS invalid username-password pair|ERR too many passwords are being checked)/;

let cluster: TestCluster;
beforeAll(async () => {
  // The full price of a hash: that is what the flood is about. What the disk does is not: all three share the machine's, and a
  // leader whose disk hangs for longer than an election timeout would rightly give up its office (R50).
  cluster = await TestCluster.start({
    settings: { "proposal-timeout-ms": "30000", "disk-stall-timeout-ms": "30000" },
  });
  const reply = await cluster.call(0, "ACL", "SETUSER", "victim", "on", ">right", "~*", "+@all");
  expect(reply).toBe("OK");
});
afterAll(async () => {
  await cluster?.close();
});

async function term(node: number): Promise<number> {
  return Number((await cluster.status(node)).get("term"));
}

/** Sends all attempts without waiting, over all connections; what came back, by text. */
async function flood(port: number): Promise<Map<string, number>> {
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => RespClient.connect(port)),
  );
  const perClient = ATTEMPTS / CONNECTIONS;
  const answers = clients.flatMap((client, number) =>
    client.pipeline(
      Array.from({ length: perClient }, (_, at) => ["AUTH", "victim", `wrong-${number}-${at}`]),
    ),
  );
  const replies = await Promise.all(answers.map(settled));
  for (const client of clients) client.close();
  const texts = new Map<string, number>();
  for (const reply of replies) {
    const text = textOf(reply);
    texts.set(text, (texts.get(text) ?? 0) + 1);
  }
  return texts;
}

function textOf(reply: RespValue | Error): string {
  if (reply instanceof RespError) return reply.text;
  return reply instanceof Error ? `lost: ${reply.message}` : `no error: ${JSON.stringify(reply)}`;
}

it.each([
  ["a follower", async () => ((await cluster.leader()) + 1) % 3],
  ["the leader", () => cluster.leader()],
])(
  "10,000 wrong passwords against %s cause no election and no error for anybody else (S25)",
  async (what, find) => {
    const node = await find();
    const before = await term(node);
    const load = new Load(cluster, { name: `flood:${what}`, nodes: [0, 1, 2] });
    await load.start();
    await load.acknowledged(10);
    load.mark();
    const startedAtMs = performance.now();
    const texts = await flood(cluster.nodes[node].port);
    const tookMs = performance.now() - startedAtMs;
    const gapMs = load.longestGapMs();
    await load.acknowledged(1);
    await load.stop();
    const told = [...texts].map(([text, count]) => `${count} x ${text}`).join("; ");
    report(
      `${ATTEMPTS} wrong passwords against ${what} in ${Math.round(tookMs)} ms: ${told}; ${load.count("acknowledged")} writes ` +
        `of others meanwhile, longest pause ${Math.round(gapMs)} ms`,
    );
    expect([...texts.keys()].filter((text) => !REFUSAL.test(text))).toEqual([]);
    expect(load.count("refused") + load.count("unknown")).toBe(0);
    for (const other of [0, 1, 2]) expect(await load.violations(other)).toEqual([]);
    expect(await term(node)).toBe(before);
    // Whoever has the right password gets in, on the node that was flooded and elsewhere.
    for (const each of cluster.nodes) {
      const client = await cluster.client(each.index);
      expect(await client.call("AUTH", "victim", "right")).toBe("OK");
      client.close();
    }
  },
  TIMEOUT_MS,
);
