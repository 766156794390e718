/** What a simulated node is made of, and what it tells. */
import type {
  AccessPorts,
  CommandTable,
  Genesis,
  Member,
  MemberChange,
  ReplicaLimits,
} from "@ferrite/node/simulation";
import type { UsersChange } from "@ferrite/acl";
import type { Entry } from "@ferrite/raft";
import type { EntryMark } from "../invariants/observer.ts";
import type { Canary } from "./canary.ts";
import type { EdgeParts } from "./edge/node-edge.ts";
import type { SimLinks } from "./membership/sim-links.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimNode } from "./sim-node.ts";
import type { DiskSpeed } from "./virtual-log-writer.ts";
import type { VirtualNetwork } from "./virtual-network.ts";

export interface SimNodeEvents {
  /** Something happens in the node. */
  touched?(node: SimNode): void;
  logWritten(node: SimNode, entries: readonly Entry[], marks: readonly EntryMark[]): void;
  becameLeader(node: SimNode): void;
  applied(
    node: SimNode,
    index: number,
    mark: { readonly term: number; readonly sum: number },
  ): void;
  usersChanged(change: UsersChange, index: number): void;
  restarted(node: SimNode): void;
  trace(line: string): void;
  /** The node stopped by itself: its disk failed, or it found a broken invariant. */
  failed(node: SimNode, error: Error): void;
  /** It could not start, or not take or receive a snapshot, for what its disk did. */
  diskFailed(node: SimNode, error: Error): void;
  /** Its log failed: the process ends now. */
  ended(node: SimNode): void;
  /** It has a disk of its own, or the same under a new id, since a moment ago. */
  rehoused?(node: SimNode): void;
  /** Its disk is damaged in a way that it does not repair: an operator has to come. */
  givenUp?(node: SimNode, error: Error): void;
  /** It has applied the end of a change of the membership. */
  changeEnded?(node: SimNode, change: MemberChange): void;
  /** It was removed from its cluster, and ends. */
  removed?(node: SimNode): void;
  /** What it made of damage to its disk. */
  repaired?(node: SimNode, what: string): void;
}

export interface SimNodeOptions {
  readonly member: Member;
  readonly genesis: Genesis;
  readonly scheduler: Scheduler;
  readonly network: VirtualNetwork;
  readonly prng: Prng;
  /** Of its keys at rest alone. */
  readonly atRestPrng: Prng;
  readonly table: CommandTable;
  readonly access: AccessPorts;
  readonly diskSpeed: DiskSpeed;
  readonly canary: Canary;
  readonly limits: Partial<ReplicaLimits>;
  readonly events: SimNodeEvents;
  /** See ClusterShape; at once when it is not given. */
  readonly roundAfterMs?: number;
  /** Absent: it has no server, and clients talk to its replica. */
  readonly edge?: EdgeParts;
  /** Absent: the members are those of the genesis, for ever. */
  readonly links?: SimLinks;
  /** The highest feature level that it supports at a start; the newest when it is not given. */
  readonly featureLevel?: () => number;
  /** Of its keyspace: with another one keys stand in another order, in snapshots as well. */
  readonly hashSeed?: number;
  /** Of its next disk. */
  readonly newId?: () => string;
}
