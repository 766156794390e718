/**
 * Has a learner caught up? Replication goes in rounds: each is as long as it takes the learner to get what the leader's log
 * held when it began. A round that is shorter than an election timeout shows that the rest is made up for in less time than
 * clients would wait for an election anyway (Raft thesis, section 4.2.1).
 */
import type { Index, NodeId } from "@ferrite/raft";

export class CatchUp {
  #learner: NodeId | null = null;
  #goal: Index = 0;
  #beganAtMs = 0;

  /** Another learner, or none: the rounds begin anew. */
  forget(): void {
    this.#learner = null;
  }

  /** To be asked again and again; true from the first round on that was short enough. */
  isDone(
    learner: { readonly id: NodeId; readonly matchIndex: Index },
    leader: {
      readonly lastIndex: Index;
      readonly electionTimeoutMs: number;
      readonly nowMs: number;
    },
  ): boolean {
    if (this.#learner !== learner.id) {
      this.#learner = learner.id;
      this.#begin(leader);
    }
    if (learner.matchIndex < this.#goal) return false;
    const tookMs = leader.nowMs - this.#beganAtMs;
    if (tookMs <= leader.electionTimeoutMs) return true;
    this.#begin(leader);
    return false;
  }

  #begin({ lastIndex, nowMs }: { readonly lastIndex: Index; readonly nowMs: number }): void {
    this.#goal = lastIndex;
    this.#beganAtMs = nowMs;
  }
}
