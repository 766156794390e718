/** A leader that says what a test wants it to say. */
import type {
  LeadershipControl,
  LeadershipOutcome,
  LeadershipWish,
} from "../../../src/replica/leadership-control.ts";

interface AskedLeadership {
  readonly wish: LeadershipWish;
  readonly until: "accepted" | "moved";
  readonly timeoutMs: number;
}

export class FakeLeadership implements LeadershipControl {
  /** Given at once; null: when a test calls `waiting`. */
  outcome: LeadershipOutcome | null = "accepted";
  asked: AskedLeadership[] = [];
  waiting: ((outcome: LeadershipOutcome) => void)[] = [];
  handingOver = false;

  ask(
    wish: LeadershipWish,
    options: { readonly until: "accepted" | "moved"; readonly timeoutMs: number },
    done: (outcome: LeadershipOutcome) => void,
  ): void {
    this.asked.push({ wish, ...options });
    if (this.outcome === null) this.waiting.push(done);
    else done(this.outcome);
  }

  isHandingOver(): boolean {
    return this.handingOver;
  }
}
