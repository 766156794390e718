/**
 * The leader's side of settling: has every member that it is in contact with applied an index? See DESIGN.md for why its
 * answer can be believed.
 *
 *   for every member but the origin:  said that it applied the index?  ─ yes ─▶ has it
 *                                      └ no ▶ heard of within the election timeout? ─ yes ─▶ asked again, waited for
 *                                                                                   └ no ──▶ missing
 *   nobody waited for, nobody missing ─▶ settled
 *   nobody waited for, somebody missing ─▶ a majority confirms that this node leads; still nobody to wait for ─▶ settled
 */
import type { Index, NodeId, RaftCoreApi } from "@ferrite/raft";
import type { PeerPayload } from "./transport.ts";
import { ASK_AGAIN_MS } from "./settle-waiters.ts";

/** Questions kept at once; those beyond are dropped and come again. */
export const SETTLEMENTS_MAX = 1000;
/** Who asked has long given up, or asks again. */
const KEPT_MS = 60_000;

interface Settlement {
  readonly from: NodeId;
  readonly requestId: number;
  readonly index: Index;
  readonly sinceMs: number;
  /** A majority is being asked whether this node leads. */
  confirming: boolean;
}

export interface SettlementsPorts {
  readonly nodeId: NodeId;
  readonly core: RaftCoreApi;
  monotonicMs(): number;
  appliedIndex(): Index;
  /** Calls done(null) when this node, having led when it was asked, has applied all that was committed then. */
  confirmLeading(done: (errorText: string | null) => void): void;
  send(to: NodeId, payload: PeerPayload): void;
  /** To who asked; may be this node. */
  answer(to: NodeId, requestId: number): void;
}

export class Settlements {
  readonly #ports: SettlementsPorts;
  readonly #settlements: Map<string, Settlement> = new Map();
  /**
   * How far each member has said that it has applied the log, or that it will not honour credentials without. It stays true:
   * what a member has applied once it never serves without.
   */
  readonly #applied: Map<NodeId, Index> = new Map();
  readonly #asked: Map<NodeId, { readonly index: Index; readonly atMs: number }> = new Map();

  constructor(ports: SettlementsPorts) {
    this.#ports = ports;
  }

  /** A node (this one, too) wants to know when `index`, which it has applied itself, is settled: `work` finds out. */
  add(from: NodeId, query: { readonly requestId: number; readonly index: Index }): void {
    if (this.#ports.core.role() !== "leader") return;
    const key = `${from} ${query.requestId}`;
    if (this.#settlements.has(key) || this.#settlements.size >= SETTLEMENTS_MAX) return;
    this.#settlements.set(key, {
      from,
      requestId: query.requestId,
      index: query.index,
      sinceMs: this.#ports.monotonicMs(),
      confirming: false,
    });
    this.#ports.core.pushCommit();
  }

  /** A member has said how far it is. */
  applied(from: NodeId, index: Index): void {
    this.#applied.set(from, Math.max(this.#applied.get(from) ?? 0, index));
    this.#asked.delete(from);
  }

  /** Another leader, or none: its questions are no longer this node's to answer. */
  leaderChanged(): void {
    this.#settlements.clear();
    this.#asked.clear();
    this.#applied.clear();
  }

  /** Once a round: asks who is to be asked, and answers what is settled. */
  work(): void {
    if (this.#settlements.size === 0) return;
    const nowMs = this.#ports.monotonicMs();
    const { progress, role } = this.#ports.core.status();
    if (role !== "leader") return;
    for (const member of progress.keys()) this.#ask(member, nowMs);
    for (const [key, settlement] of this.#settlements) {
      if (nowMs - settlement.sinceMs >= KEPT_MS) {
        this.#settlements.delete(key);
        continue;
      }
      if (this.#ports.appliedIndex() < settlement.index) continue;
      const missing = [...progress].filter(
        ([member]) => member !== settlement.from && this.#appliedBy(member) < settlement.index,
      );
      if (missing.some(([, { active }]) => active)) continue;
      if (missing.length === 0) this.#answer(key, settlement);
      else this.#confirm(key, settlement);
    }
  }

  /** Members are missing: that counts only for a leader, and only while it does not hear of them. */
  #confirm(key: string, settlement: Settlement): void {
    if (settlement.confirming) return;
    settlement.confirming = true;
    this.#ports.confirmLeading((errorText) => {
      settlement.confirming = false;
      if (errorText !== null || this.#settlements.get(key) !== settlement) return;
      const { progress, role } = this.#ports.core.status();
      const waitedFor = [...progress].some(
        ([member, { active }]) =>
          active && member !== settlement.from && this.#appliedBy(member) < settlement.index,
      );
      if (role === "leader" && !waitedFor) this.#answer(key, settlement);
    });
  }

  #answer(key: string, settlement: Settlement): void {
    this.#settlements.delete(key);
    this.#ports.answer(settlement.from, settlement.requestId);
  }

  /** A member is asked for the lowest index that somebody waits for: one question at a time. */
  #ask(member: NodeId, nowMs: number): void {
    let wanted = Infinity;
    for (const { from, index } of this.#settlements.values()) {
      if (from !== member && index > this.#appliedBy(member)) wanted = Math.min(wanted, index);
    }
    if (wanted === Infinity) return;
    const asked = this.#asked.get(member);
    if (asked?.index === wanted && nowMs - asked.atMs < ASK_AGAIN_MS) return;
    this.#asked.set(member, { index: wanted, atMs: nowMs });
    this.#ports.send(member, { kind: "appliedQuery", index: wanted });
  }

  #appliedBy(member: NodeId): Index {
    return this.#applied.get(member) ?? 0;
  }
}
