/**
 * "ACL monotone": what the cluster makes of changes of its users, held against what it answered.
 *
 *  - No write of a user takes effect behind the log position at which the user was deleted, has expired or was disabled.
 *  - A change takes effect once when it was answered OK, not at all when it failed for sure.
 *  - Once a deletion was answered OK no node honours the user for longer than the bound; and no node at all does from
 *    that very moment while every node is in contact with the leader.
 *
 * Log positions are seen when the first node applies them: all nodes apply the same.
 */
import type { UsersChange } from "@ferrite/acl";

export type ChangeOutcome = "ok" | "failed" | "unknown";

/** A change on its way, by the tag that makes it unlike any other. */
export interface ProposedChange {
  readonly tag: number;
  readonly kind: "set" | "delete";
  readonly startMs: number;
  endMs: number;
  outcome: ChangeOutcome | "open";
}

/** A node as this oracle sees it. */
export interface HonouringNode {
  readonly member: { readonly name: string };
  /** Ids of users that could do something now; empty when the node honours no credentials. */
  honouredUsers(): readonly number[];
}

/** The cluster as it is now. */
export interface Moment {
  readonly nowMs: number;
  readonly nodes: readonly HonouringNode[];
  /** It is whole, and has been for long enough. */
  readonly allInContact: boolean;
}

const TAG = /~tag(\d+)/;

/** A pattern that names the proposal in the user that it makes. */
export function tagRule(tag: number): string {
  return `~tag${tag}`;
}

export class UsersOracle {
  readonly problems: string[] = [];
  readonly changes: ProposedChange[] = [];
  readonly #boundMs: number;
  /** Where a user was deleted, has expired or was disabled (allowed false), or enabled again, oldest first. */
  readonly #turns: Map<number, { readonly index: number; readonly allowed: boolean }[]> = new Map();
  readonly #tagsApplied: Map<number, number> = new Map();
  /** Users that were answered as deleted, and when. */
  readonly #deletedAtMs: Map<number, number> = new Map();
  /** Who was deleted at a position: for the answer that names it. */
  readonly #deletions: Map<number, number[]> = new Map();
  #lastChangeIndex = 0;

  constructor(boundMs: number) {
    this.#boundMs = boundMs;
  }

  /** A node has applied a change. */
  changed(change: UsersChange, index: number): void {
    if (index < this.#lastChangeIndex) return;
    this.#lastChangeIndex = index;
    for (const { id } of change.removed) this.#turn(id, index, false);
    if (change.removed.length > 0) {
      this.#deletions.set(
        index,
        change.removed.map(({ id }) => id),
      );
    }
    for (const { after } of change.changed) {
      this.#turn(after.id, index, after.isEnabled);
      const tag = TAG.exec(after.describe())?.[1];
      if (tag !== undefined) this.#tagApplied(Number(tag), index);
    }
  }

  /** A write of the user has taken effect at a position. */
  wrote(userId: number, token: string, index: number): void {
    const turns = this.#turns.get(userId) ?? [];
    const turn = turns.findLast((candidate) => candidate.index < index);
    if (turn === undefined || turn.allowed) return;
    // One entry holds many writes: it may have been allowed again right before.
    if (turns.some((candidate) => candidate.index === index && candidate.allowed)) return;
    this.problems.push(
      `acl: ${token} of user ${userId} took effect at ${index}, behind the end of its rights at ${turn.index}`,
    );
  }

  /** A deletion was answered OK: it was at this position. */
  deleted(index: number, now: Moment): void {
    for (const id of this.#deletions.get(index) ?? []) this.#deletedAtMs.set(id, now.nowMs);
    this.check(now);
  }

  /** Looks whether any node honours a user that was answered as deleted. */
  check({ nodes, nowMs, allInContact }: Moment): void {
    for (const node of nodes) {
      for (const id of node.honouredUsers()) {
        const sinceMs = nowMs - (this.#deletedAtMs.get(id) ?? Infinity);
        if (sinceMs > this.#boundMs || (allInContact && sinceMs >= 0)) {
          this.problems.push(
            `acl: ${node.member.name} honours user ${id}, ${sinceMs} ms after its deletion was answered`,
          );
        }
      }
    }
  }

  /** At the end: what was answered is what happened. */
  finish(): readonly string[] {
    for (const { tag, kind, outcome } of this.changes) {
      if (kind !== "set") continue;
      const applied = this.#tagsApplied.has(tag);
      if (outcome === "ok" && !applied) this.problems.push(`acl: change ${tag} is lost`);
      if (outcome === "failed" && applied)
        this.problems.push(`acl: change ${tag} failed for sure and was applied`);
    }
    return this.problems;
  }

  #turn(id: number, index: number, allowed: boolean): void {
    const turns = this.#turns.get(id) ?? [];
    turns.push({ index, allowed });
    this.#turns.set(id, turns);
  }

  #tagApplied(tag: number, index: number): void {
    const before = this.#tagsApplied.get(tag);
    if (before !== undefined && before !== index) {
      this.problems.push(`acl: change ${tag} was applied at ${before} and again at ${index}`);
    }
    this.#tagsApplied.set(tag, index);
  }
}
