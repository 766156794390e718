/**
 * Forming a cluster so that there is only ever one (O06). Pure: what was heard goes in, what to do comes out.
 *
 *   every expected name was heard, none is formed     -> promise the cluster id that follows from (name, node id)s
 *   every expected name promised that same id         -> form it: write it to disk, then say so
 *   somebody is formed and lists this node's disk     -> adopt theirs
 *   somebody is formed and does not                   -> ask to join, and form nothing
 *   a name comes with another disk after a promise    -> forget everything heard and said, ask again
 *
 * Why a promise and not just "all were heard": a node may remember a neighbour's hello from before that neighbour
 * formed a cluster, and combine it with a third node's new disk. A promise is kept as long as the process lives.
 * Two clusters over a common disk would need a promise for both from it, and one for the older must come first; but
 * then the node either wrote the older cluster to its disk (and never promises again), or forgot everything (by a
 * restart or a reset) and is asked anew, when every disk of the older cluster that is still there takes part in
 * neither or is formed. It assumes that a name has one disk at a time and a discarded disk does not come back.
 *
 * A node that asks has a place when a member says so, and a member says so when the log of its cluster does: a majority
 * has agreed. So nothing is written to a new disk on the word of one old disk that turns up alone. A cluster that was formed
 * is forgotten by all expected nodes only when all of their disks are gone at once; then they form another, though it may
 * live on elsewhere: name a node more in peers than can be lost together (docs/membership.md).
 */
import type { HintedMember } from "./hello.ts";
import type { Genesis, Member } from "./membership.ts";
import { genesisOf } from "./genesis.ts";

/** What one node last said of itself. */
export interface BootstrapReport {
  readonly member: Member;
  readonly promise: string | null;
  readonly genesis: Genesis | null;
  /** Whom it takes for the members of its cluster now; null when it does not say: those of the genesis. */
  readonly members: readonly Pick<HintedMember, "id" | "name">[] | null;
}

export type BootstrapDecision =
  /** Not everybody was heard, or not everybody promised. */
  | {
      readonly kind: "wait";
      readonly missing: readonly string[];
      readonly unpromised: readonly string[];
    }
  /** All promised the same: make it durable. */
  | { readonly kind: "form"; readonly genesis: Genesis }
  /** A formed cluster has this node as a member: make it durable. */
  | { readonly kind: "adopt"; readonly genesis: Genesis }
  /** A formed cluster knows this node's name with another disk, or not at all: it has to ask. */
  | { readonly kind: "ask"; readonly clusterId: string; readonly registeredId: string | null }
  /** Two peers are members of different clusters. */
  | { readonly kind: "conflict"; readonly clusterIds: readonly string[] }
  /** Forget what was heard and promised, end all links, begin anew. */
  | { readonly kind: "reset"; readonly changedName: string };

export class BootstrapState {
  readonly #self: Member;
  readonly #clusterToken: string;
  readonly #expectedNames: readonly string[];
  #reports = new Map<string, BootstrapReport>();
  #promise: string | null = null;
  #changedName: string | null = null;

  /** `expectedNames` holds the node's own name too. */
  constructor(options: {
    readonly self: Member;
    readonly clusterToken: string;
    readonly expectedNames: readonly string[];
  }) {
    this.#self = options.self;
    this.#clusterToken = options.clusterToken;
    this.#expectedNames = [...new Set([...options.expectedNames, options.self.name])].toSorted();
  }

  /** What this node has bound itself to; part of its hello. */
  get promise(): string | null {
    return this.#promise;
  }

  get expectedNames(): readonly string[] {
    return this.#expectedNames;
  }

  /** Takes in what a peer (of the same token, proved to own its name) says. */
  hear(report: BootstrapReport): void {
    const name = report.member.name;
    const before = this.#reports.get(name);
    if (this.#promise !== null && before !== undefined && before.member.id !== report.member.id) {
      this.#changedName = name;
    }
    this.#reports.set(name, report);
  }

  /** What to do now. May bind this node to a promise: ask for `promise` afterwards and tell the others. */
  decide(): BootstrapDecision {
    const formed = this.#decideFormed();
    if (formed !== null) {
      return formed;
    }
    if (this.#changedName !== null) {
      return { kind: "reset", changedName: this.#changedName };
    }
    const missing = this.#expectedNames.filter(
      (name) => name !== this.#self.name && !this.#reports.has(name),
    );
    if (missing.length > 0) {
      return { kind: "wait", missing, unpromised: [] };
    }
    const others = this.#expectedReports();
    const genesis = genesisOf(this.#clusterToken, [this.#self, ...others.map((r) => r.member)]);
    this.#promise ??= genesis.clusterId;
    if (this.#promise !== genesis.clusterId) {
      // `hear` notices every change of disk after a promise, so this is a defect, and a dangerous one.
      throw new Error(
        `promised cluster ${this.#promise}, but the members make ${genesis.clusterId}`,
      );
    }
    const unpromised = others
      .filter((report) => report.promise !== genesis.clusterId)
      .map((report) => report.member.name);
    return unpromised.length > 0
      ? { kind: "wait", missing: [], unpromised }
      : { kind: "form", genesis };
  }

  /** After a `reset` was carried out: as if the process had just started. */
  reset(): void {
    this.#reports = new Map();
    this.#promise = null;
    this.#changedName = null;
  }

  #expectedReports(): BootstrapReport[] {
    const reports: BootstrapReport[] = [];
    for (const name of this.#expectedNames) {
      const report = this.#reports.get(name);
      if (report !== undefined && name !== this.#self.name) {
        reports.push(report);
      }
    }
    return reports;
  }

  #decideFormed(): BootstrapDecision | null {
    const formed = [...this.#reports.values()].filter((report) => report.genesis !== null);
    const ids = new Set(formed.map((report) => report.genesis?.clusterId ?? ""));
    if (ids.size > 1) {
      return { kind: "conflict", clusterIds: [...ids].toSorted() };
    }
    let registeredId: string | null = null;
    for (const { genesis, members } of formed) {
      if (genesis === null) continue;
      const listed = members ?? genesis.members;
      if (listed.some(({ id, name }) => id === this.#self.id && name === this.#self.name)) {
        return { kind: "adopt", genesis };
      }
      registeredId ??= listed.find((member) => member.name === this.#self.name)?.id ?? null;
    }
    const [clusterId] = ids;
    return clusterId === undefined ? null : { kind: "ask", clusterId, registeredId };
  }
}
