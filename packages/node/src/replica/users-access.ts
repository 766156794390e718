/**
 * The users of the replicated state, as the edge sees and changes them: a proposal goes into the log as an internal write
 * and is answered when it is settled; credentials are refused while this node can not know whether they are still good.
 */
import type { UsersChange, UserTable } from "@ferrite/acl";
import type { Index, NodeId, RaftCoreApi } from "@ferrite/raft";
import type { AccessState, UsersOutcome, UsersProposal } from "./access-state.ts";
import { AppliedReports } from "./applied-reports.ts";
import { NODE_ACTOR_ID } from "./batch.ts";
import { Freshness } from "./freshness.ts";
import { InternalClient, type InternalOutcome } from "./internal-client.ts";
import { SettleWaiters } from "./settle-waiters.ts";
import { Settlements } from "./settlements.ts";
import type { PeerPayload } from "./transport.ts";
import { encodeUsersWrite } from "./users-writes.ts";
import type { WriteClient } from "./write-path.ts";

/** Clocks of nodes may run apart by this part of what they count. */
const CLOCK_DRIFT = 0.01;

type SettlePayload = Extract<
  PeerPayload,
  { readonly kind: "settleQuery" | "settleAnswer" | "appliedQuery" | "appliedAnswer" }
>;

export interface UsersAccessPorts {
  readonly nodeId: NodeId;
  readonly core: RaftCoreApi;
  monotonicMs(): number;
  users(): UserTable;
  appliedIndex(): Index;
  isCaughtUp(): boolean;
  isAlone(): boolean;
  /** Runs soon, after the I/O that is ready now. */
  defer(run: () => void): void;
  /** Calls done(null) when a read that began now is linearizable here. */
  confirm(done: (errorText: string | null) => void): void;
  /** Takes an internal write; an error text when it can not be taken. */
  submit(bytes: Buffer, userId: number, client: WriteClient): string | null;
  send(to: NodeId, payload: PeerPayload): void;
}

export class UsersAccess implements AccessState {
  readonly #ports: UsersAccessPorts;
  readonly #freshness: Freshness;
  readonly #waiters: SettleWaiters;
  readonly #settlements: Settlements;
  readonly #reports: AppliedReports;
  readonly #listeners: Set<(change: UsersChange | null, index: Index) => void> = new Set();

  constructor(
    ports: UsersAccessPorts,
    options: { readonly maxStalenessMs: number; readonly firstRequestId: number },
  ) {
    this.#ports = ports;
    this.#freshness = new Freshness(ports, options.maxStalenessMs);
    this.#waiters = new SettleWaiters(
      {
        monotonicMs: () => ports.monotonicMs(),
        leader: () => ports.core.leader(),
        ask: (leader, query) => {
          if (leader === ports.nodeId) this.#settlements.add(leader, query);
          else ports.send(leader, { kind: "settleQuery", ...query });
        },
      },
      options.firstRequestId,
    );
    this.#settlements = new Settlements({
      nodeId: ports.nodeId,
      core: ports.core,
      monotonicMs: () => ports.monotonicMs(),
      appliedIndex: () => ports.appliedIndex(),
      confirmLeading: (done) => ports.confirm(done),
      send: (to, payload) => ports.send(to, payload),
      answer: (to, requestId) => {
        if (to === ports.nodeId) this.#waiters.answered(requestId);
        else ports.send(to, { kind: "settleAnswer", requestId });
      },
    });
    this.#reports = new AppliedReports((to, index) =>
      ports.send(to, { kind: "appliedAnswer", index }),
    );
  }

  /** acl-max-staleness-ms, in force at once. */
  set maxStalenessMs(value: number) {
    this.#freshness.maxStalenessMs = value;
  }

  users(): UserTable {
    return this.#ports.users();
  }

  credentialsRefusal(): string | null {
    if (!this.#ports.isCaughtUp()) return "LOADING Redis is loading the dataset in memory";
    return this.#freshness.refusal();
  }

  propose(
    proposal: UsersProposal,
    actorId: number | null,
    done: (outcome: UsersOutcome) => void,
  ): void {
    const client = new InternalClient((outcome) => this.#applied(outcome, done));
    const bytes = encodeUsersWrite(proposal);
    const errorText = this.#ports.submit(bytes, actorId ?? NODE_ACTOR_ID, client);
    if (errorText !== null) done({ ok: false, errorText });
  }

  onUsersChanged(listener: (change: UsersChange | null, index: Index) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  // ---- From the replica -------------------------------------------------------------------------------------

  /** An entry has just changed the users; null when a snapshot took the place of the state. */
  changed(change: UsersChange | null, index: Index): void {
    for (const listener of this.#listeners) listener(change, index);
  }

  receive(from: NodeId, payload: SettlePayload): void {
    switch (payload.kind) {
      case "settleQuery":
        return this.#settlements.add(from, payload);
      case "settleAnswer":
        return this.#waiters.answered(payload.requestId);
      case "appliedQuery":
        return this.#asked(from, payload.index);
      case "appliedAnswer":
        return this.#settlements.applied(from, payload.index);
    }
  }

  /**
   * A member that is far behind (it receives a snapshot, say) must not hold up the changes of all: while it refuses
   * credentials it promises to go on with that until it has applied what it was asked for, which is as good.
   */
  #asked(from: NodeId, index: Index): void {
    if (index <= this.#ports.appliedIndex() || this.credentialsRefusal() === null) {
      return this.#reports.asked(from, index);
    }
    this.#freshness.forget();
    return this.#ports.send(from, { kind: "appliedAnswer", index });
  }

  tick(): void {
    this.#freshness.tick();
    this.#waiters.tick();
  }

  /** Once a round, when what is committed has been applied. */
  work(): void {
    this.#reports.check(this.#ports.appliedIndex());
    this.#settlements.work();
  }

  leaderChanged(): void {
    this.#settlements.leaderChanged();
    this.#waiters.leaderChanged();
  }

  stop(): void {
    this.#waiters.stop();
  }

  #applied(outcome: InternalOutcome, done: (outcome: UsersOutcome) => void): void {
    if (!outcome.ok) return done(outcome);
    const staleMs = this.#freshness.maxStalenessMs * (1 + CLOCK_DRIFT);
    return this.#waiters.add({
      index: outcome.index,
      // Whoever has not applied it by then honours no credentials any more (freshness.ts).
      deadlineMs: this.#ports.monotonicMs() + staleMs,
      done: () => done(outcome),
      stopped: () =>
        done({
          ok: false,
          errorText:
            "UNKNOWNOUTCOME the change was applied, but this node stops before it is known that all others have it",
        }),
    });
  }
}
