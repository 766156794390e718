/**
 * A right taken away on one node is gone on all of them when the OK is seen, whatever its
 * owner is sending to whichever node at that time (S03, S09, F42, F44, F96, F97).
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { TestCluster, report } from "../../e2e/harness/cluster.ts";
import type { RespClient } from "../../e2e/harness/resp-client.ts";
import { REVOCATIONS, Revocations } from "./support/revocations.ts";

/** FERRITE_REVOCATIONS=1000 for the whole proof. */
const COUNT = Number(process.env["FERRITE_REVOCATIONS"] ?? 100);
const NODES = [0, 1, 2];
const TIMEOUT_MS = 600_000;

let cluster: TestCluster;
let administrators: RespClient[];
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { "password-hash-iterations": "1000" } });
  administrators = await Promise.all(NODES.map((node) => cluster.client(node)));
});
afterAll(async () => {
  for (const administrator of administrators ?? []) administrator.close();
  await cluster?.close();
});

it(
  "a user that is revoked on another node than it was made on does nothing more on any node after the OK (S03, S09, F42, F44, F96, F97)",
  async () => {
    const revocations = new Revocations(cluster);
    const startedAtMs = performance.now();
    let answerMs = 0;
    let longestAnswerMs = 0;
    for (let round = 0; round < COUNT; round++) {
      await revocations.grant(administrators[round % 3]);
      const askedAtMs = performance.now();
      await revocations.revoke(
        administrators[(round + 1) % 3],
        REVOCATIONS[round % REVOCATIONS.length],
      );
      const tookMs = performance.now() - askedAtMs;
      answerMs += tookMs;
      longestAnswerMs = Math.max(longestAnswerMs, tookMs);
      await revocations.refusedOn(NODES);
      await revocations.checkState(administrators[(round + 2) % 3]);
      expect(revocations.ledger.violations, `in round ${round + 1}`).toEqual([]);
    }
    await revocations.end();
    report(
      `${COUNT} revocations in ${Math.round((performance.now() - startedAtMs) / 1000)} s, each answered after ` +
        `${(answerMs / COUNT).toFixed(1)} ms, at most ${longestAnswerMs.toFixed(0)} ms: ${revocations.summary()}`,
    );
    expect(revocations.ledger.forbidden.size).toBeGreaterThanOrEqual(COUNT / 2);
    for (const administrator of administrators) {
      expect(await revocations.forbiddenWrites(administrator)).toEqual([]);
    }
  },
  TIMEOUT_MS,
);

it("the watch itself notices a user that goes on after a revocation that never was, and its writes", async () => {
  const revocations = new Revocations(cluster);
  await revocations.grant(administrators[0]);
  revocations.revoked(REVOCATIONS[0]);
  await revocations.workOn(NODES);
  await revocations.checkState(administrators[1]);
  await revocations.end();
  const { violations, forbidden } = revocations.ledger;
  expect(violations.some((each) => each.includes("a read of node"))).toBe(true);
  expect(violations.some((each) => each.includes(" is there and was sent "))).toBe(true);
  expect((await revocations.forbiddenWrites(administrators[2])).length).toBeGreaterThan(0);
  expect(forbidden.size).toBeGreaterThan(0);
  await administrators[0].call(...REVOCATIONS[0].words);
});
