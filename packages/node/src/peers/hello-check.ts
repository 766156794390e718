/** May these two nodes talk, and what about? Pure: a peer's hello and what this node knows in, a verdict out. */
import type { NodeId } from "@ferrite/raft";
import { GROUP_ID } from "./frame.ts";
import { claimsMembership } from "./hello.ts";
import type { Hello } from "./hello.ts";
import type { MemberTable } from "./member-table.ts";
import type { Refusal } from "./refusal.ts";

export interface HelloContext {
  readonly selfId: NodeId;
  readonly selfName: string;
  /** Named where a newer version is asked for. */
  readonly selfVersion: string;
  readonly tokenHash: string;
  /** Sorted, with the own name. */
  readonly expectedNames: readonly string[];
  /** Null while this node belongs to no cluster. */
  readonly clusterId: string | null;
  readonly table: Pick<
    MemberTable,
    "named" | "withId" | "isRemoved" | "isTrusted" | "isWelcome" | "featureLevel"
  >;
  /** The name that was dialed, or null on an accepted link. */
  readonly dialedName: string | null;
  /** Why the peer's certificate is not that of the member with this name, or null. */
  identityProblem(name: string): string | null;
  /** Whether another link with this disk is open. */
  isLive(id: NodeId): boolean;
}

/**
 * `member`: payload may flow as soon as both are active. `asking`: a node that wants to be a member; it is heard, and nothing
 * else is taken from it or sent to it.
 */
export type HelloVerdict =
  | { readonly kind: "member" }
  | { readonly kind: "asking" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

const MEMBER: HelloVerdict = { kind: "member" };
const ASKING: HelloVerdict = { kind: "asking" };

/** What to make of the sender of `hello`. */
export function judgeHello(hello: Hello, context: HelloContext): HelloVerdict {
  const refusal = refusalOfIdentity(hello, context);
  if (refusal !== null) return { kind: "refused", refusal };
  return context.clusterId === null
    ? judgeUnformed(hello, context)
    : judgeInCluster(hello, context, context.clusterId);
}

function refused(reason: Refusal["reason"], text: string): HelloVerdict {
  return { kind: "refused", refusal: { reason, text } };
}

function refusalOfIdentity(hello: Hello, context: HelloContext): Refusal | null {
  const problem = context.identityProblem(hello.name);
  if (problem !== null) {
    const text = `The peer says it is "${hello.name}", but its certificate does not: ${problem}`;
    return { reason: "wrongCertificate", text };
  }
  if (context.dialedName !== null && hello.name !== context.dialedName) {
    return {
      reason: "wrongName",
      text: `"${context.dialedName}" was dialed and "${hello.name}" answered: check the addresses in peers.`,
    };
  }
  if (hello.nodeId === context.selfId || hello.name === context.selfName) {
    return {
      reason: "sameNode",
      text:
        `Two nodes have the name "${context.selfName}" or one data directory's id, or a node dialed itself: ` +
        "check node-name, dir and the addresses in peers.",
    };
  }
  if (hello.groupId !== GROUP_ID) {
    return { reason: "wrongGroup", text: `Group ${hello.groupId} is not known here.` };
  }
  if (hello.tokenHash !== context.tokenHash) {
    return {
      reason: "wrongToken",
      text: `The cluster tokens of "${context.selfName}" and "${hello.name}" differ: set cluster-token alike.`,
    };
  }
  return null;
}

/** This node belongs to no cluster: it forms one with those who mean the same, and listens to those who have one. */
function judgeUnformed(hello: Hello, context: HelloContext): HelloVerdict {
  if (!context.table.isTrusted(hello.name)) {
    return refused(
      "unknownMember",
      `"${hello.name}" is not among the peers of "${context.selfName}".`,
    );
  }
  if (hello.genesis !== null) return MEMBER;
  const theirs = hello.expected.toSorted();
  const same =
    theirs.length === context.expectedNames.length &&
    theirs.every((name, i) => name === context.expectedNames[i]);
  if (same && theirs.includes(hello.name)) return MEMBER;
  return refused(
    "expectedMembers",
    `"${context.selfName}" expects a cluster of ${context.expectedNames.join(", ")}; ` +
      `"${hello.name}" one of ${theirs.join(", ")}: make node-name and peers agree.`,
  );
}

function judgeInCluster(hello: Hello, context: HelloContext, clusterId: string): HelloVerdict {
  const { table } = context;
  if (hello.genesis !== null && hello.genesis.clusterId !== clusterId) {
    return refused(
      "wrongCluster",
      `"${context.selfName}" is a member of cluster ${clusterId}, "${hello.name}" of ${hello.genesis.clusterId}.`,
    );
  }
  if (table.isRemoved(hello.nodeId)) {
    return refused(
      "removed",
      `This disk of "${hello.name}" (${hello.nodeId}) was removed from cluster ${clusterId} or replaced by another: ` +
        "it can not come back. Start with an empty data directory to join as a new disk.",
    );
  }
  if (hello.featureLevel < table.featureLevel) {
    return refused(
      "featureLevel",
      `Cluster ${clusterId} has reached feature level ${table.featureLevel}, and ${versionText(hello.version)} of ` +
        `"${hello.name}" knows none above ${hello.featureLevel}: run version ${context.selfVersion} or a later one there.`,
    );
  }
  return judgeMember(hello, context, clusterId);
}

function judgeMember(hello: Hello, context: HelloContext, clusterId: string): HelloVerdict {
  const { table } = context;
  const known = table.withId(hello.nodeId);
  if (known !== undefined) {
    return known.name === hello.name
      ? MEMBER
      : refused(
          "unknownMember",
          `Cluster ${clusterId} knows the disk ${hello.nodeId} as "${known.name}", not as "${hello.name}".`,
        );
  }
  // Two nodes of one name: the one that is there stays. It may be the older disk, on which the cluster still counts.
  const registered = table.named(hello.name);
  if (registered !== undefined && context.isLive(registered.id)) {
    return refused(
      "replacedDisk",
      `"${hello.name}" is connected with another disk (${registered.id}, this one is ${hello.nodeId}): two nodes have one ` +
        "name. Stop one of them, or give it a node-name of its own.",
    );
  }
  // Of several changes this node may not have heard yet: a member says so, under a name that it proves and this node trusts.
  if (claimsMembership(hello)) {
    return table.isTrusted(hello.name) ? MEMBER : refused("unknownMember", strangerText(hello));
  }
  if (registered !== undefined || table.isWelcome(hello.name)) return ASKING;
  return refused(
    "unknownMember",
    `"${hello.name}" is not a member of cluster ${clusterId}: let it in with \`ferrite member add ${hello.name}\`, ` +
      "or set member-join auto.",
  );
}

function strangerText(hello: Hello): string {
  return (
    `"${hello.name}" says that it is a member of this cluster, and nobody whom this node knows has said so: ` +
    "if it is one, name it in peers."
  );
}

function versionText(version: string): string {
  return version === "" ? "the version" : `version ${version}`;
}
