/** The leader is killed while it takes a user's rights away: what is answered with OK holds all the same (S09, R12, F100). */
import { afterAll, beforeAll, expect, it } from "vitest";
import { TestCluster, pause, report } from "../../e2e/harness/cluster.ts";
import { RespError, type RespClient } from "../../e2e/harness/resp-client.ts";
import { REVOCATIONS, Revocations, type Revocation } from "./support/revocations.ts";

/** FERRITE_LEADER_KILLS=20 for the whole proof. */
const KILLS = Number(process.env["FERRITE_LEADER_KILLS"] ?? 5);
const NODES = [0, 1, 2];
/** The leader dies at a moment within this time from the question on; a revocation takes about as long. */
const MOMENTS_MS = [0, 1, 2, 4, 8, 16];
const RETRY_MS = 5;
const TIMEOUT_MS = 600_000;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { "password-hash-iterations": "1000" } });
});
afterAll(async () => {
  await cluster?.close();
});

/** Asks until somebody answers OK; how often nobody did. */
async function revokeWhileKilled(
  revocations: Revocations,
  revocation: Revocation,
  { asked, leader, momentMs }: { asked: number; leader: number; momentMs: number },
): Promise<number> {
  const administrator = await cluster.client(asked);
  const answer = administrator.call(...revocation.words).then(
    (reply) => {
      if (reply instanceof RespError) return false;
      revocations.revoked(revocation);
      return true;
    },
    () => false,
  );
  await pause(momentMs);
  await cluster.end(leader, "SIGKILL");
  const isAnswered = await answer;
  administrator.close();
  if (isAnswered) return 0;
  const others = NODES.filter((node) => node !== leader);
  for (let attempts = 1; ; attempts++) {
    const reply = await cluster.call(others[attempts % 2], ...revocation.words);
    if (!(reply instanceof RespError)) {
      revocations.revoked(revocation);
      return attempts;
    }
    expect(reply.text).toMatch(/^(CLUSTERDOWN|UNKNOWNOUTCOME|TRYAGAIN) /);
    await pause(RETRY_MS);
  }
}

it(
  "a revocation that is answered with OK holds on every node when the leader is killed at that moment, and on the killed one when it is back (S09, R12, F100)",
  async () => {
    const revocations = new Revocations(cluster);
    let unanswered = 0;
    for (let round = 0; round < KILLS; round++) {
      const leader = await cluster.leader();
      // The leader itself is asked, and each of the others.
      const asked = (leader + round) % 3;
      const administrator: RespClient = await cluster.client((leader + 1) % 3);
      await revocations.grant(administrator);
      const attempts = await revokeWhileKilled(
        revocations,
        REVOCATIONS[round % REVOCATIONS.length],
        { asked, leader, momentMs: MOMENTS_MS[round % MOMENTS_MS.length] },
      );
      if (attempts > 0) unanswered++;
      await revocations.refusedOn(NODES.filter((node) => node !== leader));
      cluster.spawn(leader);
      await cluster.ready(leader);
      await revocations.refusedOn(NODES);
      await revocations.checkState(administrator);
      administrator.close();
      expect(revocations.ledger.violations, `in round ${round + 1}`).toEqual([]);
    }
    await revocations.end();
    report(
      `${KILLS} revocations with the leader killed meanwhile, ${unanswered} asked again: ${revocations.summary()}`,
    );
    for (const node of NODES) {
      const administrator = await cluster.client(node);
      expect(await revocations.forbiddenWrites(administrator)).toEqual([]);
      administrator.close();
    }
  },
  TIMEOUT_MS,
);
