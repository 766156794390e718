/** Who waits for a change of the membership to be accepted, or to be over. */
import { underWay, type MemberChange } from "./member-record.ts";

/** Changes that are over and still known here, for who asks late. */
const REMEMBERED_MAX = 16;

interface Follower {
  readonly changeId: number;
  readonly until: "accepted" | "over";
  readonly deadlineMs: number;
  readonly done: (change: MemberChange | null) => void;
}

export class ChangeFollowers {
  readonly #followers: Set<Follower> = new Set();
  /** By id, as last seen. */
  readonly #known: Map<number, MemberChange> = new Map();

  /** The returned function gives up without an answer. */
  add(follower: Follower): () => void {
    this.#followers.add(follower);
    this.#look(follower);
    return () => void this.#followers.delete(follower);
  }

  /** The change has moved on, or is another one. */
  saw(change: MemberChange | null): void {
    if (change === null) return;
    this.#known.delete(change.id);
    this.#known.set(change.id, change);
    for (const id of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED_MAX) break;
      this.#known.delete(id);
    }
    for (const follower of this.#followers) this.#look(follower);
  }

  tick(nowMs: number): void {
    for (const follower of this.#followers) {
      if (nowMs >= follower.deadlineMs) this.#answer(follower);
    }
  }

  /** The node ends: whoever waits is told what is known. */
  stop(): void {
    for (const follower of this.#followers) this.#answer(follower);
  }

  #look(follower: Follower): void {
    const change = this.#known.get(follower.changeId);
    const isReached =
      change !== undefined &&
      (follower.until === "over" ? underWay(change) === null : change.phase !== "asked");
    // A change that was jumped over by a snapshot is over, as there is never more than one.
    if (isReached || this.#isPast(follower.changeId)) this.#answer(follower);
  }

  #isPast(changeId: number): boolean {
    return [...this.#known.keys()].some((id) => id > changeId);
  }

  #answer(follower: Follower): void {
    if (!this.#followers.delete(follower)) return;
    follower.done(this.#known.get(follower.changeId) ?? null);
  }
}
