/**
 * The origin's side of settling: who waits until a change that was applied here is applied by every member in contact with
 * the leader. The leader finds that out (settlements.ts); it is asked again until it answers, whoever it is by then.
 */
import type { Index, NodeId } from "@ferrite/raft";

/** Without an answer the leader is asked again: messages get lost, leaders change. */
export const ASK_AGAIN_MS = 200;

interface Waiter {
  readonly requestId: number;
  readonly index: Index;
  readonly deadlineMs: number;
  askedAtMs: number;
  readonly done: () => void;
  readonly stopped: () => void;
}

export interface SettleWaitersPorts {
  monotonicMs(): number;
  leader(): NodeId | null;
  /** May be this node. */
  ask(leader: NodeId, query: { readonly requestId: number; readonly index: Index }): void;
}

export class SettleWaiters {
  readonly #ports: SettleWaitersPorts;
  readonly #waiters: Map<number, Waiter> = new Map();
  #nextRequestId: number;

  /** `firstRequestId`: another one at every start, so that no answer to a process before is taken for one to this. */
  constructor(ports: SettleWaitersPorts, firstRequestId: number) {
    this.#ports = ports;
    this.#nextRequestId = firstRequestId;
  }

  /** Calls `done` once: when the leader says so, or at `deadlineMs`; or `stopped` when the node stops first. */
  add(waiting: Pick<Waiter, "index" | "deadlineMs" | "done" | "stopped">): void {
    const waiter: Waiter = {
      ...waiting,
      requestId: this.#nextRequestId++,
      askedAtMs: -Infinity,
    };
    this.#waiters.set(waiter.requestId, waiter);
    this.#ask(waiter);
  }

  answered(requestId: number): void {
    const waiter = this.#waiters.get(requestId);
    if (waiter === undefined) return;
    this.#waiters.delete(requestId);
    waiter.done();
  }

  /** The one that was asked may never answer. */
  leaderChanged(): void {
    for (const waiter of this.#waiters.values()) this.#ask(waiter);
  }

  tick(): void {
    if (this.#waiters.size === 0) return;
    const nowMs = this.#ports.monotonicMs();
    for (const waiter of this.#waiters.values()) {
      if (nowMs >= waiter.deadlineMs) this.answered(waiter.requestId);
      else if (nowMs - waiter.askedAtMs >= ASK_AGAIN_MS) this.#ask(waiter);
    }
  }

  stop(): void {
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.stopped();
  }

  #ask(waiter: Waiter): void {
    const leader = this.#ports.leader();
    if (leader === null) return;
    waiter.askedAtMs = this.#ports.monotonicMs();
    this.#ports.ask(leader, { requestId: waiter.requestId, index: waiter.index });
  }
}
