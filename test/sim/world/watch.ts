/** Watches a simulation: every invariant is asked whenever something happens that it is about, and work has to be bounded. */
import { CommittedEntries } from "../invariants/committed-entries.ts";
import { ElectionSafety } from "../invariants/election-safety.ts";
import { LeaderAppendOnly } from "../invariants/leader-append-only.ts";
import { LogMatching } from "../invariants/log-matching.ts";
import { NoWayBack } from "../invariants/no-way-back.ts";
import { OneChangeAtATime } from "../invariants/one-change-at-a-time.ts";
import { SaneIndexes } from "../invariants/sane-indexes.ts";
import { VotesInBounds } from "../invariants/votes-in-bounds.ts";
import { Violation, type Invariant } from "../invariants/observer.ts";
import { RefusalsEnd } from "../invariants/refusals-end.ts";
import type { PeerPayload } from "@ferrite/node/simulation";
import type { SimNode } from "./sim-node.ts";

/**
 * Steps within a while. A node that plans round after round without any news makes 100,000 in every second; a long backlog in
 * messages of one entry each, on a network on which they overtake each other, has been seen to make as many, in one second.
 */
const STEPS_WINDOW_MS = 3000;
const STEPS_PER_WINDOW_MAX = 200_000;

export class Watch {
  readonly #invariants: Invariant[] = [
    new ElectionSafety(),
    new LeaderAppendOnly(),
    new LogMatching(),
    new CommittedEntries(),
    new SaneIndexes(),
    new NoWayBack(),
    new OneChangeAtATime(),
  ];
  readonly #stepInvariants: readonly Invariant[];
  /** Nodes in which something happened in this step. */
  readonly #touched: Set<SimNode> = new Set();
  #window = { atMs: 0, steps: 0 };
  readonly #refusals: RefusalsEnd = new RefusalsEnd();
  steps = 0;

  /** `founders`: ids of the members that the cluster begins with. */
  constructor(founders: readonly string[]) {
    this.#invariants.push(new VotesInBounds(founders));
    this.#stepInvariants = this.#invariants.filter((invariant) => "step" in invariant);
  }

  touched(node: SimNode): void {
    this.#touched.add(node);
  }

  /** Tells all of them. @throws Violation */
  each(tell: (invariant: Invariant) => void): void {
    for (const invariant of this.#invariants) tell(invariant);
  }

  /** A message has arrived. @throws Violation */
  delivered(from: string, to: string, payload: PeerPayload): void {
    this.#refusals.delivered(payload, from, to);
    if (payload.kind !== "raft") return;
    for (const invariant of this.#invariants) invariant.delivered?.(from, to, payload.message);
  }

  /** A node hands a message over. @throws Violation */
  sent(node: SimNode | undefined, to: string, payload: PeerPayload): void {
    if (payload.kind !== "raft" || node === undefined) return;
    const floor = node.replica?.core.floor() ?? null;
    for (const invariant of this.#invariants)
      invariant.sent?.(node.member.id, to, payload.message, floor);
  }

  /** A step is over. Nothing of a node changes but by an event of its own. @throws Violation */
  stepped(nowMs: number): void {
    this.#countStep(nowMs);
    for (const node of this.#touched) {
      const facts = node.facts();
      if (facts === null) continue;
      for (const invariant of this.#stepInvariants) invariant.step!(facts);
    }
    this.#touched.clear();
  }

  #countStep(nowMs: number): void {
    this.steps++;
    this.#window.steps++;
    if (nowMs - this.#window.atMs < STEPS_WINDOW_MS) {
      if (this.#window.steps <= STEPS_PER_WINDOW_MAX) return;
      throw new Violation(
        "bounded work",
        `more than ${STEPS_PER_WINDOW_MAX} steps within ${STEPS_WINDOW_MS} ms`,
      );
    }
    this.#window = { atMs: nowMs, steps: 0 };
  }
}
