/**
 * Nodes that knock at this one and want to become members. Each is written to the log, at its first knock and again as long as
 * it is there and nobody has taken it in: it may have been turned away for a reason that passes.
 */
import type { NodeId } from "@ferrite/raft";
import { JOINER_KEPT_MS } from "./limits.ts";
import type { MembersTable } from "./members-table.ts";
import type { JoinRequest } from "./membership-ports.ts";

/** Nodes that are remembered; the one that was silent for longest gives way. */
export const JOIN_REQUESTS_MAX = 64;
/** The leader hears most of them itself; the others wait so long to see whether it has. */
export const STAGGER_MS = 1000;
export const RETRY_MS = 5000;
export const RETRY_MAX_MS = 60_000;

interface Knock {
  readonly request: JoinRequest;
  heardAtMs: number;
  nextAtMs: number;
  retryMs: number;
}

export interface JoinRequestsPorts {
  monotonicMs(): number;
  table(): MembersTable;
  leads(): boolean;
  /** Every node that proves to be of this cluster may become a member. */
  joinsAnybody(): boolean;
  /** There is a link on which it waits. */
  isThere(id: NodeId): boolean;
  /** Writes it to the log. */
  submit(request: JoinRequest): void;
}

export class JoinRequests {
  readonly #ports: JoinRequestsPorts;
  readonly #knocks: Map<NodeId, Knock> = new Map();

  constructor(ports: JoinRequestsPorts) {
    this.#ports = ports;
  }

  heard(request: JoinRequest): void {
    const nowMs = this.#ports.monotonicMs();
    const known = this.#knocks.get(request.id);
    this.#knocks.delete(request.id);
    const first = nowMs + (this.#ports.leads() ? 0 : STAGGER_MS);
    this.#knocks.set(request.id, {
      request,
      heardAtMs: nowMs,
      nextAtMs: known?.nextAtMs ?? first,
      retryMs: known?.retryMs ?? RETRY_MS,
    });
    for (const oldest of this.#knocks.keys()) {
      if (this.#knocks.size <= JOIN_REQUESTS_MAX) break;
      this.#knocks.delete(oldest);
    }
    this.tick();
  }

  tick(): void {
    const nowMs = this.#ports.monotonicMs();
    for (const [id, knock] of this.#knocks) {
      if (this.#isOver(knock, nowMs)) this.#knocks.delete(id);
      else if (nowMs >= knock.nextAtMs) this.#write(knock, nowMs);
    }
  }

  #write(knock: Knock, nowMs: number): void {
    const { request } = knock;
    const table = this.#ports.table();
    const waits = table.joiner(request.id) !== undefined;
    // It waits already: only so that it is not forgotten.
    knock.nextAtMs = nowMs + (waits ? JOINER_KEPT_MS / 2 : knock.retryMs);
    if (!waits) knock.retryMs = Math.min(knock.retryMs * 2, RETRY_MAX_MS);
    if (!this.#ports.joinsAnybody() && !table.isWelcome(request.name)) {
      // As soon as it is invited it is welcome.
      knock.nextAtMs = nowMs;
      knock.retryMs = RETRY_MS;
      return;
    }
    this.#ports.submit(request);
  }

  #isOver({ request, heardAtMs }: Knock, nowMs: number): boolean {
    const table = this.#ports.table();
    if (table.get(request.id) !== undefined || table.isRemoved(request.id)) return true;
    return !this.#ports.isThere(request.id) && nowMs - heardAtMs >= JOINER_KEPT_MS;
  }
}
