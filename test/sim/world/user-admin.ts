/** Makes, changes, disables and deletes users, on any node, all the time. */
import type { UsersProposal } from "@ferrite/node/simulation";
import { tagRule, type ProposedChange, type UsersOracle } from "../oracle/users-oracle.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimNode } from "./sim-node.ts";

/** Few names, so that deleted users come back under the same one. */
export const USER_NAMES: readonly string[] = ["ann", "bob", "cid"];
/** Where users append their tokens. */
export const USER_KEYS: readonly string[] = ["ua", "ub"];
const PAUSE_MS_MAX = 600;
/** Users that expire do so within this many seconds. */
const EXPIRY_SECONDS_MAX = 4;

export class UserAdmin {
  readonly #nodes: readonly SimNode[];
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #oracle: UsersOracle;
  readonly #trace: (line: string) => void;
  readonly #allInContact: () => boolean;
  readonly #proposed: (name: string) => void;
  readonly #asked: Map<ProposedChange, SimNode> = new Map();
  #tag = 0;
  #stopped = false;

  constructor(options: {
    readonly nodes: readonly SimNode[];
    readonly scheduler: Scheduler;
    readonly prng: Prng;
    readonly oracle: UsersOracle;
    readonly trace: (line: string) => void;
    /** The cluster is whole and has been for long enough. */
    readonly allInContact: () => boolean;
    /** A change of this user is on its way. */
    readonly proposed: (name: string) => void;
  }) {
    this.#nodes = options.nodes;
    this.#scheduler = options.scheduler;
    this.#prng = options.prng;
    this.#oracle = options.oracle;
    this.#trace = options.trace;
    this.#allInContact = options.allInContact;
    this.#proposed = options.proposed;
  }

  start(): void {
    this.#scheduler.after(this.#prng.next() * PAUSE_MS_MAX, () => {
      if (this.#stopped) return;
      this.#change();
      this.start();
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Nothing waits for an answer that can still come. */
  get isIdle(): boolean {
    return this.#asked.size === 0;
  }

  /** A node died: what was asked there has an unknown outcome. */
  nodeDied(node: SimNode): void {
    for (const [change, asked] of this.#asked) {
      if (asked !== node) continue;
      change.outcome = "unknown";
      this.#asked.delete(change);
    }
  }

  #change(): void {
    const node = this.#prng.pick(this.#nodes);
    const proposal = this.#proposal(node);
    if (!node.isUp || node.isPaused) return;
    const { replica, life } = node;
    const change: ProposedChange = {
      tag: this.#tag,
      kind: proposal.kind,
      startMs: this.#scheduler.nowMs,
      endMs: Infinity,
      outcome: "open",
    };
    this.#oracle.changes.push(change);
    this.#asked.set(change, node);
    replica!.access.propose(proposal, null, (outcome) => {
      if (life !== node.life) return;
      this.#asked.delete(change);
      change.endMs = this.#scheduler.nowMs;
      if (outcome.ok) change.outcome = "ok";
      else change.outcome = outcome.errorText.startsWith("UNKNOWN") ? "unknown" : "failed";
      this.#trace(`${node.member.name} change ${change.tag} ${change.kind} ${change.outcome}`);
      if (outcome.ok && change.kind === "delete") {
        this.#oracle.deleted(outcome.index, {
          nowMs: this.#scheduler.nowMs,
          nodes: this.#nodes,
          allInContact: this.#allInContact(),
        });
      }
    });
    this.#proposed(proposal.kind === "set" ? proposal.name : proposal.names[0]);
  }

  #proposal(node: SimNode): Extract<UsersProposal, { kind: "set" | "delete" }> {
    this.#tag++;
    const name = this.#prng.pick(USER_NAMES);
    const kind = this.#prng.between(0, 10);
    if (kind < 4) return { kind: "delete", names: [name] };
    const rules = ["reset", kind === 4 ? "off" : "on", "+append", tagRule(this.#tag)];
    for (const key of USER_KEYS) if (this.#prng.chance(0.8)) rules.push(`~${key}`);
    if (kind === 5) {
      const nowMs = node.replica?.logicalNowMs() ?? 0;
      const atSeconds = Math.floor(nowMs / 1000) + this.#prng.between(1, EXPIRY_SECONDS_MAX + 1);
      rules.push(`expire-at=${atSeconds}`);
    }
    return { kind: "set", name, rules };
  }
}
