/** The network between the nodes of a run, as faults see it: links that can be cut, slowed down and broken. */
import type { TestCluster, TestClusterOptions } from "../../e2e/harness/cluster.ts";
import type { Heal, LinkChange } from "./link-conditions.ts";

/** What a network can do to a link; not every one can do all. */
export type LinkFault = "cut" | "delay" | "rate" | "reset";

export interface ChaosNetwork {
  /** For people: what stands between the nodes. */
  readonly description: string;
  readonly can: ReadonlySet<LinkFault>;
  /** What the cluster has to be prepared with, so that its links go through here. */
  readonly clusterOptions: Pick<TestClusterOptions, "peerAddress" | "hostOf" | "launcherOf">;
  /** Settings that nodes need because of this network. */
  readonly settings: Readonly<Record<string, string>>;
  /** Called once, before the first node is started. */
  attach(cluster: TestCluster): Promise<void>;
  /** To be awaited before a node is started: from now on it can be dialed. */
  nodeStarts(index: number): Promise<void>;
  /** The node's process is gone: who dials it is refused, as by a machine on which nobody listens. */
  nodeEnded(index: number): Promise<void>;
  /** From now on these conditions hold too, until the result is called. */
  impair(changes: readonly LinkChange[]): Promise<Heal>;
  /** Breaks the connections that exist between these two, as a middle box that forgot them does. */
  reset(one: number, other: number): void;
  close(): Promise<void>;
}
