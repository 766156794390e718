/**
 * A node that is cut off from both others can not learn of a revocation. It honours credentials until
 * acl-max-staleness-ms are over and nobody's afterwards, says why, and follows the new rules when it is reached again
 * (S09; design: one set of rules, everywhere at once).
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, pause, report, until } from "../../e2e/harness/cluster.ts";
import { PeerLinks } from "../../e2e/harness/peer-links.ts";
import { RespError, type RespClient, type RespValue } from "../../e2e/harness/resp-client.ts";
import {
  CREDENTIALS,
  REVOCATIONS,
  Revocations,
  type LoadShape,
  type Revocation,
} from "./support/revocations.ts";

/** FERRITE_PARTITIONS=8 for each way to revoke, twice, with either role. */
const PARTITIONS = Number(process.env["FERRITE_PARTITIONS"] ?? 2);
const STALENESS_MS = 2000;
const NODES = [0, 1, 2];
const TIMEOUT_MS = 600_000;
const STALE = /^CLUSTERDOWN this node has had no contact with a majority .*acl-max-staleness-ms/;
/** Writes wait for the cluster where there is none: those who only read must not stand behind them. */
const SHAPES: readonly LoadShape[] = [
  { name: "reads", batch: ["read", "read", "read", "read"] },
  { name: "writes", batch: ["write", "write"] },
];

let cluster: TestCluster;
let links: PeerLinks;
beforeAll(async () => {
  cluster = await TestCluster.prepare({
    settings: {
      "password-hash-iterations": "1000",
      "acl-max-staleness-ms": String(STALENESS_MS),
      "proposal-timeout-ms": "1000",
    },
  });
  links = await PeerLinks.of(cluster);
  for (const node of NODES) cluster.spawn(node, links.settings(node));
  await Promise.all(NODES.map((node) => cluster.ready(node)));
});
afterAll(async () => {
  await cluster?.close();
  await links?.close();
});

function errorText(reply: RespValue): string {
  return reply instanceof RespError ? reply.text : `no error: ${JSON.stringify(reply)}`;
}

/** Asks until the majority has agreed, which it may have to find a leader for. */
async function revokeOn(
  administrator: RespClient,
  revocations: Revocations,
  { revocation, cut }: { readonly revocation: Revocation; readonly cut: number },
): Promise<void> {
  for (;;) {
    const reply = await administrator.call(...revocation.words);
    if (!(reply instanceof RespError)) {
      return revocations.revoked(revocation, { node: cut, graceMs: STALENESS_MS });
    }
    expect(reply.text).toMatch(/^(CLUSTERDOWN|UNKNOWNOUTCOME) /);
    await pause(20);
  }
}

/** Logs in with the right password, and without one, on connections of their own. */
async function answersToNewcomers(node: number): Promise<string[]> {
  const client = await cluster.client(node);
  const replies = client.pipeline([
    ["AUTH", CREDENTIALS.user, CREDENTIALS.password],
    ["GET", "load"],
    ["SET", "load", "1"],
    ["ACL", "LIST"],
    ["CONFIG", "GET", "dir"],
  ]);
  const texts = (await Promise.all(replies)).map(errorText);
  client.close();
  return texts;
}

interface Round {
  readonly answerMs: number;
  /** From the cut to the newest command of that node that succeeded, and from the OK. */
  readonly servedAfterCutMs: number;
  readonly servedAfterOkMs: number;
}

async function partition(
  revocations: Revocations,
  revocation: Revocation,
  cut: number,
): Promise<Round> {
  const others = NODES.filter((node) => node !== cut);
  const administrator = await cluster.client(others[0]);
  await revocations.grant(administrator);
  links.isolate(cut);
  const cutAtMs = performance.now();
  await revokeOn(administrator, revocations, { revocation, cut });
  const okAtMs = performance.now();
  await revocations.refusedOn(others);
  await revocations.refusedOn([cut]);
  const lastMs = revocations.ledger.lastSuccessOf(`${cluster.nodes[cut].name}:`);
  for (const text of await answersToNewcomers(cut)) expect(text).toMatch(STALE);
  const open = await cluster.client(cut);
  expect(await open.call("PING")).toBe("PONG");
  expect(await open.call("INFO", "replication")).toContain("role:");
  open.close();

  links.heal();
  await until("the node honours somebody again", async () => {
    const reply = await cluster.call(cut, "GET", "load");
    return !(reply instanceof RespError);
  });
  for (const client of revocations.clientsOn([cut])) client.mark();
  await revocations.refusedOn([cut]);
  await revocations.checkState(administrator);
  administrator.close();
  return {
    answerMs: okAtMs - cutAtMs,
    servedAfterCutMs: lastMs - cutAtMs,
    servedAfterOkMs: lastMs - okAtMs,
  };
}

describe.each([
  ["a follower", async () => ((await cluster.leader()) + 1) % 3],
  ["the leader", () => cluster.leader()],
])("cut off from both others, %s", (role, find) => {
  it(
    `honours nobody ${STALENESS_MS} ms after the OK of a revocation, says so, and follows the new rules afterwards (S09)`,
    async () => {
      const revocations = new Revocations(cluster, SHAPES);
      const rounds: Round[] = [];
      for (let round = 0; round < PARTITIONS; round++) {
        const revocation = REVOCATIONS[round % REVOCATIONS.length];
        rounds.push(await partition(revocations, revocation, await find()));
        expect(revocations.ledger.violations, `in round ${round + 1}`).toEqual([]);
      }
      await revocations.end();
      const most = (of: (round: Round) => number): number =>
        Math.round(Math.max(...rounds.map(of)));
      report(
        `${role} cut off ${PARTITIONS} times: the OK came at most ${most((each) => each.answerMs)} ms after the cut; what ` +
          `it was sent until ${most((each) => each.servedAfterCutMs)} ms after the cut and ` +
          `${most((each) => each.servedAfterOkMs)} ms after the OK succeeded (the bound is ${STALENESS_MS} ms); ` +
          revocations.summary(),
      );
      expect([...revocations.ledger.refusals.keys()].some((text) => STALE.test(text))).toBe(true);
      for (const node of NODES) {
        const administrator = await cluster.client(node);
        expect(await revocations.forbiddenWrites(administrator)).toEqual([]);
        administrator.close();
      }
    },
    TIMEOUT_MS,
  );
});
