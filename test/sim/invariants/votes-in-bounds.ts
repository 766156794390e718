/**
 * Who may vote, and for whom. A disk votes only when some configuration in some log has ever counted its vote (O07): before that it
 * has nothing to give. A disk whose log was damaged votes for nobody whose log is shorter than its own once was (R58): with its
 * vote an entry that it had acknowledged could be lost.
 */
import {
  decodeConfiguration,
  EntryKind,
  type Entry,
  type LogPosition,
  type Message,
} from "@ferrite/raft";
import { Violation, type Invariant, type NodeFacts } from "./observer.ts";

export class VotesInBounds implements Invariant {
  readonly #everVoter: Set<string>;
  /** By voter, candidate and term: what the candidate said of its log. */
  readonly #asked: Map<string, LogPosition> = new Map();

  constructor(founders: readonly string[]) {
    this.#everVoter = new Set(founders);
  }

  logWritten(_node: NodeFacts, _log: unknown, entries: readonly Entry[]): void {
    for (const { kind, data } of entries) {
      if (kind !== EntryKind.Configuration) continue;
      const { voters, votersOutgoing } = decodeConfiguration(data);
      for (const id of [...voters, ...votersOutgoing]) this.#everVoter.add(id);
    }
  }

  delivered(from: string, to: string, message: Message): void {
    if (message.kind !== "voteRequest") return;
    const { lastIndex: index, lastTerm: term } = message;
    this.#asked.set(`${to} ${from} ${message.term}`, { index, term });
  }

  /** `floor`: where the voter's log ended before it was damaged; null when it is whole. */
  sent(from: string, to: string, message: Message, floor: LogPosition | null): void {
    if (message.kind !== "voteResponse" || !message.granted) return;
    if (!this.#everVoter.has(from)) {
      throw new Violation(
        "votes in bounds",
        `${from} votes in term ${message.term} and never was a voter`,
      );
    }
    const candidate = this.#asked.get(`${from} ${to} ${message.term}`);
    if (floor === null || candidate === undefined || !isBefore(candidate, floor)) return;
    throw new Violation(
      "votes in bounds",
      `${from} votes for a log up to ${candidate.index}.${candidate.term}, its own once went to ${floor.index}.${floor.term}`,
    );
  }
}

function isBefore(left: LogPosition, right: LogPosition): boolean {
  return left.term < right.term || (left.term === right.term && left.index < right.index);
}
