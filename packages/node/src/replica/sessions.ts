/**
 * Replicated sessions: what makes a write that was proposed twice apply once (R12).
 *
 * Every node's writes are one stream, numbered from 1 within an incarnation of the node. Apply takes a batch only
 * when it is the next of its stream: a repeated one is a duplicate, one that overtook its predecessor leaves a gap
 * and is refused, so that a connection's pipeline can be neither doubled nor reordered. The first batch of a higher
 * incarnation ends the one before it: what a dead process left on its way can not come back.
 */

export type SessionVerdict = "next" | "duplicate" | "gap" | "ended";

interface Session {
  incarnation: number;
  sequence: number;
}

/** As written into a snapshot. */
export type SessionRecord = readonly [originKey: string, incarnation: number, sequence: number];

export class Sessions {
  readonly #sessions: Map<string, Session> = new Map();

  /** Decides about a batch and, when it is the next one, moves the stream on. */
  advance(originKey: string, incarnation: number, sequence: number): SessionVerdict {
    const session = this.#sessions.get(originKey);
    if (session === undefined || incarnation > session.incarnation) {
      if (sequence !== 1) return "gap";
      this.#sessions.set(originKey, { incarnation, sequence });
      return "next";
    }
    if (incarnation < session.incarnation) return "ended";
    if (sequence <= session.sequence) return "duplicate";
    if (sequence !== session.sequence + 1) return "gap";
    session.sequence = sequence;
    return "next";
  }

  /** How far a node's stream has come; 0 when nothing of this incarnation was applied. */
  sequenceOf(originKey: string, incarnation: number): number {
    const session = this.#sessions.get(originKey);
    return session?.incarnation === incarnation ? session.sequence : 0;
  }

  /**
   * The node is a member no more: what is still on its way from it is never applied. The mark stays until `forget`, or one
   * of its first batches that was sent twice would begin a session anew.
   */
  end(originKey: string): void {
    this.#sessions.set(originKey, { incarnation: Number.MAX_SAFE_INTEGER, sequence: 0 });
  }

  /** So long after its end that nothing of it can be on its way. */
  forget(originKey: string): void {
    this.#sessions.delete(originKey);
  }

  /** Sorted, so that equal tables give equal bytes. */
  records(): SessionRecord[] {
    return [...this.#sessions]
      .map(([key, session]): SessionRecord => [key, session.incarnation, session.sequence])
      .sort((left, right) => (left[0] < right[0] ? -1 : 1));
  }

  restore(records: readonly SessionRecord[]): void {
    this.#sessions.clear();
    for (const [key, incarnation, sequence] of records) {
      this.#sessions.set(key, { incarnation, sequence });
    }
  }
}
