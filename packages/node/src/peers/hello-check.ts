/** May these two nodes talk? Pure: a peer's hello and what this node knows in, a refusal or nothing out. */
import type { NodeId } from "@ferrite/raft";
import { GROUP_ID } from "./frame.ts";
import type { Hello } from "./hello.ts";
import type { Genesis } from "./membership.ts";
import type { Refusal } from "./refusal.ts";

export interface HelloContext {
  readonly selfId: NodeId;
  readonly selfName: string;
  readonly tokenHash: string;
  /** Sorted, with the own name. */
  readonly expectedNames: readonly string[];
  /** Null while this node is not a member of a cluster. */
  readonly genesis: Genesis | null;
  /** The name that was dialed, or null on an accepted link. */
  readonly dialedName: string | null;
  /** Why the peer's certificate is not that of the member with this name, or null. */
  identityProblem(name: string): string | null;
}

/** The reason not to talk to the sender of `hello`, or null. */
export function refusalOfHello(hello: Hello, context: HelloContext): Refusal | null {
  return refusalOfIdentity(hello, context) ?? refusalOfCluster(hello, context);
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

function refusalOfCluster(hello: Hello, context: HelloContext): Refusal | null {
  const own = context.genesis;
  if (own === null) {
    return hello.genesis === null
      ? refusalOfExpected(hello, context)
      : refusalToAdopt(hello.genesis, context);
  }
  if (hello.genesis !== null && hello.genesis.clusterId !== own.clusterId) {
    return {
      reason: "wrongCluster",
      text: `"${context.selfName}" is a member of cluster ${own.clusterId}, "${hello.name}" of ${hello.genesis.clusterId}.`,
    };
  }
  return refusalOfMember(own, { id: hello.nodeId, name: hello.name });
}

/** Both are unformed: they must mean the same cluster. */
function refusalOfExpected(hello: Hello, context: HelloContext): Refusal | null {
  const theirs = hello.expected.toSorted();
  const same =
    theirs.length === context.expectedNames.length &&
    theirs.every((name, i) => name === context.expectedNames[i]);
  if (same && theirs.includes(hello.name)) {
    return null;
  }
  return {
    reason: "expectedMembers",
    text:
      `"${context.selfName}" expects a cluster of ${context.expectedNames.join(", ")}; ` +
      `"${hello.name}" one of ${theirs.join(", ")}: make node-name and peers agree.`,
  };
}

/** The peer's cluster is formed; it is ours only when it knows this very disk. */
function refusalToAdopt(genesis: Genesis, context: HelloContext): Refusal | null {
  return refusalOfMember(genesis, { id: context.selfId, name: context.selfName });
}

function refusalOfMember(
  genesis: Genesis,
  node: { readonly id: NodeId; readonly name: string },
): Refusal | null {
  const member = genesis.members.find((each) => each.name === node.name);
  if (member === undefined) {
    return {
      reason: "unknownMember",
      text: `"${node.name}" is not a member of cluster ${genesis.clusterId}.`,
    };
  }
  if (member.id !== node.id) {
    return {
      reason: "replacedDisk",
      text:
        `Cluster ${genesis.clusterId} knows "${node.name}" with another data directory (${member.id}, now ${node.id}). ` +
        "A new disk is a new member and may not vote under the old name: bring the old data directory back.",
    };
  }
  return null;
}
