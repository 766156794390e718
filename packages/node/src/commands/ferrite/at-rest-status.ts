import type { AtRestStatus, FileCount } from "../../at-rest/at-rest-view.ts";
import type { EdgeCommand } from "../command.ts";
import type { Reply } from "../../resp/reply.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { answerLater } from "../acl/answer-later.ts";

/** FERRITE.ATREST STATUS: which keys are in use, and how many files are encrypted with which; never a key. */
export const atRestStatus: EdgeCommand = {
  kind: "edge",
  name: "ferrite.atrest|status",
  summary: "Return the state of encryption at rest on this node",
  complexity: "O(N) where N is the number of files in the data directory",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  tips: ["nondeterministic_output"],
  run: runStatus,
};

function runStatus(context: EdgeContext): void {
  const answer = answerLater(context);
  void context.server.atRest.look().then((status) => {
    answer((reply) => writeStatus(reply, status));
  });
}

type Fact = readonly [name: string, value: string | number | null];

function writeStatus(reply: Reply, status: AtRestStatus): void {
  const facts: readonly Fact[] = [
    ["enabled", Number(status.enabled)],
    ["source", status.source],
    ["key_encryption_key", status.keyEncryptionKeyId],
    ["rewriting", Number(status.isRewriting)],
    ["failure", status.failure],
    ["key_failure", status.keyFailure],
    ...countFacts("encrypted", status.encrypted),
    ...countFacts("outdated", status.outdated),
    ...countFacts("plain", status.plain),
    ["rewraps", status.rewraps],
    ["rewrap_failures", status.rewrapFailures],
  ];
  reply.map(facts.length + 1);
  for (const [name, value] of facts) {
    reply.bulkText(name);
    if (value === null) reply.nullBulk();
    else if (typeof value === "number") reply.integer(value);
    else reply.bulkText(value);
  }
  reply.bulkText("node_keys");
  reply.array(status.nodeKeyIds.length);
  for (const id of status.nodeKeyIds) reply.integer(id);
}

function countFacts(name: string, { files, bytes }: FileCount): readonly Fact[] {
  return [
    [`${name}_files`, files],
    [`${name}_bytes`, bytes],
  ];
}
