/**
 * Whom this node takes for its peers. Pure bookkeeping of three sources:
 *
 *   the table       what the log says; the genesis until the replica has said it once
 *   configuration   the peers that the operator named
 *   vouchers        what peers say of the other members in their hellos
 *
 * The table decides who is a member. The other two matter to a node whose table is old: it was down while the cluster
 * changed, or has only the genesis. It can not catch up with a leader that it refuses to hear. So a name that the
 * operator gave, or that a trusted peer says is a member, is trusted to speak for itself, with its certificate.
 */
import type { NodeId } from "@ferrite/raft";
import type { LinkedMembers } from "../members/membership-ports.ts";
import type { KnownAddresses } from "./dial-addresses.ts";
import type { HintedMember } from "./hello.ts";
import { MEMBERS_MAX } from "./hello.ts";
import type { Genesis, Member } from "./membership.ts";

/** One peer to have links with. */
export interface LinkTarget {
  readonly name: string;
  /** Its disk by the table; null when the table does not name it. */
  readonly id: NodeId | null;
  readonly addresses: KnownAddresses;
  /** Only the configuration names it, and there is a cluster that does not. */
  readonly isStranger: boolean;
}

const NOBODY: LinkedMembers = { members: [], welcome: [], removed: [], featureLevel: 0 };

export class MemberTable {
  readonly #selfName: string;
  readonly #configured: ReadonlyMap<string, string>;
  #linked: LinkedMembers = NOBODY;
  #byName: ReadonlyMap<string, Member> = new Map();
  #byId: ReadonlyMap<NodeId, Member> = new Map();
  #removed: ReadonlySet<NodeId> = new Set();
  /** By the name of who says so. */
  readonly #vouched = new Map<string, readonly HintedMember[]>();
  #trusted: ReadonlySet<string>;

  constructor(
    selfName: string,
    peers: readonly { readonly name: string; readonly address: string }[],
  ) {
    this.#selfName = selfName;
    this.#configured = new Map(peers.map(({ name, address }) => [name, address]));
    this.#trusted = new Set(this.#configured.keys());
  }

  /** All members by the table, this node too when it is one. */
  get members(): readonly Member[] {
    return this.#linked.members;
  }

  /** The level that the cluster has reached. */
  get featureLevel(): number {
    return this.#linked.featureLevel;
  }

  /** Until the replica knows better: those who formed the cluster. */
  begin(genesis: Genesis): void {
    this.set({ ...NOBODY, members: genesis.members });
  }

  set(linked: LinkedMembers): void {
    this.#linked = linked;
    this.#byName = new Map(linked.members.map((member) => [member.name, member]));
    this.#byId = new Map(linked.members.map((member) => [member.id, member]));
    this.#removed = new Set(linked.removed);
    this.#trusted = this.#namesTrusted();
  }

  /** A trusted peer says who the members are. True when that is news. */
  vouch(voucher: string, members: readonly HintedMember[]): boolean {
    const before = this.#vouched.get(voucher) ?? [];
    if (isSameList(before, members)) return false;
    this.#vouched.set(voucher, members);
    this.#trusted = this.#namesTrusted();
    return true;
  }

  named(name: string): Member | undefined {
    return this.#byName.get(name);
  }

  withId(id: NodeId): Member | undefined {
    return this.#byId.get(id);
  }

  isRemoved(id: NodeId): boolean {
    return this.#removed.has(id);
  }

  /** May a node with this name say of itself that it is a member? */
  isTrusted(name: string): boolean {
    return this.#trusted.has(name);
  }

  /** Is a node with this name heard when it asks to join? */
  isWelcome(name: string): boolean {
    const { welcome } = this.#linked;
    return welcome === "anybody" || welcome.includes(name);
  }

  /** Whom to have links with, but for this node itself. */
  targets(): readonly LinkTarget[] {
    const isFormed = this.#linked.members.length > 0;
    return [...this.#trusted].map((name): LinkTarget => {
      const member = this.#byName.get(name);
      const vouched = this.#vouchedAddresses(name);
      return {
        name,
        id: member?.id ?? null,
        addresses: {
          configured: this.#configured.get(name) ?? null,
          others: member === undefined ? vouched : [member.peerAddress, ...vouched],
        },
        isStranger: isFormed && member === undefined && vouched.length === 0,
      };
    });
  }

  #vouchedAddresses(name: string): readonly string[] {
    return [...this.#vouched.entries()]
      .filter(([voucher]) => this.#trusted.has(voucher))
      .flatMap(([, members]) => members)
      .filter((member) => member.name === name)
      .map((member) => member.peerAddress);
  }

  /** Trust goes on from those who have it: the operator's names, the table's, and whom these vouch for. */
  #namesTrusted(): ReadonlySet<string> {
    const trusted = new Set([...this.#byName.keys(), ...this.#configured.keys()]);
    // A set is walked to its end, also over what is added on the way.
    for (const name of trusted) {
      for (const member of this.#vouched.get(name) ?? []) {
        if (trusted.size < TRUSTED_MAX) trusted.add(member.name);
      }
    }
    for (const voucher of this.#vouched.keys()) {
      if (!trusted.has(voucher)) this.#vouched.delete(voucher);
    }
    trusted.delete(this.#selfName);
    return trusted;
  }
}

/** Names that hellos may bring are bounded, whatever is said in them: the members before and after a change of all. */
const TRUSTED_MAX = 4 * MEMBERS_MAX;

function isSameList(a: readonly HintedMember[], b: readonly HintedMember[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      ({ id, name, peerAddress }, i) =>
        id === b[i]?.id && name === b[i]?.name && peerAddress === b[i]?.peerAddress,
    )
  );
}
