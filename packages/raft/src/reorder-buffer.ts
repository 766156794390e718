/**
 * Appends that arrived before the ones they follow. To a leader whose appends were accepted up to here, a gap means that
 * something was lost or overtaken. Refusing at once would have it send everything again from the gap on, once per append
 * that comes too early: on a network that reorders, a backlog of small appends grew to a storm. Keeping a few of them until
 * the gap closes is as if they had taken longer on their way, which any message may.
 *
 *   log: 1 .. 7 | 8 is missing | 9, 10, 11 are kept
 *
 * A gap that stays is told: by the refusal of an append without entries when nothing has come since the last heartbeat (the
 * leader sends one when it hears of no progress), and of those for which there is no room.
 */
import type { RaftState } from "./state.ts";
import type { AppendRequest, Index, NodeId, Term } from "./types.ts";

/** Of the window, the part that is kept behind a gap. When more has come, what is missing is rather lost than late. */
const KEPT_SHARE = 0.75;

export class ReorderBuffer {
  readonly #state: RaftState;
  /** By the place where they begin, lowest first. */
  #kept: AppendRequest[] = [];
  #keptBytes = 0;
  /** Whose appends fit, and in which term: only for this leader a gap is a matter of order. */
  #leader: NodeId | null = null;
  #term: Term = 0;
  #lastIndexAtHeartbeat: Index = 0;

  constructor(state: RaftState) {
    this.#state = state;
  }

  /** An append of this leader was accepted: the logs agree up to here. */
  fits(request: AppendRequest): void {
    if (this.#leader !== request.from || this.#term !== request.term) {
      this.clear();
      this.#leader = request.from;
      this.#term = request.term;
    }
  }

  /** True when the append waits for others, or has nothing to say before they have come: it is not answered now. */
  takes(request: AppendRequest): boolean {
    const { log } = this.#state;
    const isEarly = request.previousIndex > log.lastIndex;
    if (!isEarly || this.#leader !== request.from || this.#term !== request.term) {
      return false;
    }
    if (request.entries.length === 0) {
      return log.lastIndex > this.#lastIndexAtHeartbeat;
    }
    return this.#keep(request);
  }

  /** One that waits no more; null when there is none. */
  next(): AppendRequest | null {
    const first = this.#kept[0];
    if (first === undefined || first.previousIndex > this.#state.log.lastIndex) {
      return null;
    }
    this.#kept.shift();
    this.#keptBytes -= sizeBytesOf(first);
    return first;
  }

  /** What has come until the next one may still close a gap. */
  heartbeat(): void {
    this.#lastIndexAtHeartbeat = this.#state.log.lastIndex;
  }

  clear(): void {
    this.#kept = [];
    this.#keptBytes = 0;
    this.#leader = null;
  }

  #keep(request: AppendRequest): boolean {
    const sizeBytes = sizeBytesOf(request);
    const { inflightBytesMax, inflightMessagesMax } = this.#state.options;
    const keptMax = Math.ceil(KEPT_SHARE * inflightMessagesMax);
    let place = this.#kept.length;
    while (place > 0 && (this.#kept[place - 1]?.previousIndex ?? 0) > request.previousIndex) {
      place -= 1;
    }
    const before = this.#kept[place - 1];
    if (
      before?.previousIndex === request.previousIndex &&
      before.entries.length >= request.entries.length
    ) {
      return true;
    }
    if (this.#kept.length >= keptMax || this.#keptBytes + sizeBytes > inflightBytesMax) {
      return false;
    }
    this.#kept.splice(place, 0, request);
    this.#keptBytes += sizeBytes;
    return true;
  }
}

function sizeBytesOf(request: AppendRequest): number {
  let sizeBytes = 0;
  for (const entry of request.entries) {
    sizeBytes += entry.data.byteLength;
  }
  return sizeBytes;
}
