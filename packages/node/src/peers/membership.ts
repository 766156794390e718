/** Who the members are when a cluster is formed, and what is kept of it on disk. */
import type { NodeId } from "@ferrite/raft";

export interface Member {
  readonly id: NodeId;
  /** The configured name, unique in the cluster; certificates are checked against it. */
  readonly name: string;
  /** host:port of the peer listener. A hint: it may change at every start. */
  readonly peerAddress: string;
  /** host:port where clients reach the node; a hint. */
  readonly clientAddress: string;
}

/** Agreed once, when a cluster is formed; written and fsynced before the first vote. */
export interface Genesis {
  readonly clusterId: string;
  /** Sorted by name. */
  readonly members: readonly Member[];
}

/** Made once per data directory. */
export interface NodeIdentity {
  readonly id: NodeId;
  readonly name: string;
}
