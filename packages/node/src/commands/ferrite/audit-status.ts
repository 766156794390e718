import type { SinkStatus } from "../../audit/audit-log-view.ts";
import type { EdgeCommand } from "../command.ts";
import type { Reply } from "../../resp/reply.ts";
import type { EdgeContext } from "../../server/edge-context.ts";

/** FERRITE.AUDIT STATUS: the head of the chain, what the cluster has witnessed, and how files and receivers are. */
export const auditStatus: EdgeCommand = {
  kind: "edge",
  name: "ferrite.audit|status",
  summary: "Return the state of this node's audit trail, and the anchors of all nodes",
  complexity: "O(N) where N is the number of nodes",
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

type Fact = readonly [name: string, value: string | number | null];

function runStatus({ reply, server }: EdgeContext): void {
  const status = server.audit.log?.status();
  if (status === undefined) return reply.error("ERR this node keeps no audit trail");
  const facts: readonly Fact[] = [
    ["enabled", Number(status.enabled)],
    ["node_id", server.replica.nodeId],
    ["chain", status.chain],
    ["sequence", status.head.sequence],
    ["head", status.head.hash],
    ["anchored_sequence", status.anchored?.sequence ?? null],
    ["anchored_head", status.anchored?.hash ?? null],
    ["records", status.records],
    ["dropped", status.dropped],
    ["repeated", status.repeated],
    ["refusal", status.refusal],
  ];
  reply.map(facts.length + 2);
  replyFacts(reply, facts);
  reply.bulkText("anchors");
  reply.array(status.anchors.length);
  for (const [nodeId, { sequence, hash }] of status.anchors) {
    reply.map(3);
    replyFacts(reply, [
      ["node_id", nodeId],
      ["sequence", sequence],
      ["head", hash],
    ]);
  }
  reply.bulkText("sinks");
  reply.array(status.sinks.length);
  for (const sink of status.sinks) replySink(reply, sink);
}

function replySink(reply: Reply, sink: SinkStatus): void {
  const facts: readonly Fact[] = [
    ["name", sink.name],
    ["delivered", sink.delivered],
    ["failures", sink.failures],
    ["dropped", sink.dropped],
    ["queued_records", sink.queuedRecords],
    ["queued_bytes", sink.queuedBytes],
    ["failure", sink.failure],
  ];
  reply.map(facts.length);
  replyFacts(reply, facts);
}

function replyFacts(reply: Reply, facts: readonly Fact[]): void {
  for (const [name, value] of facts) {
    reply.bulkText(name);
    if (value === null) reply.nullBulk();
    else if (typeof value === "number") reply.integer(value);
    else reply.bulkText(value);
  }
}
