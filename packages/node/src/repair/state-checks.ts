/**
 * Compares the states of all members at one log position (R32).
 *
 *   leader ── "check" ──▶ log ──▶ apply, on every node: from here on its state is hashed in slices
 *   every node ── "report", its hash ──▶ log ──▶ apply, on every node: the same reports, in the same order
 *
 * Check and reports are entries of the log: all nodes have the same reports, so each judges by itself, and none has to
 * believe the leader or a message that got lost. They change nothing of the replicated state. A node whose hash is not
 * the majority's tells it and stops; it comes back with the state of the others (restoration.ts).
 */
import type { Index, NodeId } from "@ferrite/raft";
import { createHash } from "node:crypto";
import { beginStateHash, type KeyspaceHashWalk } from "@ferrite/storage";
import { NODE_ACTOR_ID } from "../replica/batch.ts";
import { InternalClient } from "../replica/internal-client.ts";
import { encodeInternalWrite, InternalWrite } from "../replica/internal-writes.ts";
import type { StateMachine } from "../replica/state-machine.ts";
import type { WriteClient } from "../replica/write-path.ts";
import {
  BUSY,
  judgeStates,
  type StateReport,
  type StateVerdict,
  type StateVoters,
} from "./state-verdict.ts";

/** A member that has not reported by then has not answered. */
export const STATE_REPORT_TIMEOUT_MS = 60_000;
/** One round spends about this much on hashing. */
export const STATE_SLICE_MS = 1;
const SLICE_SLOTS = 64;
const SLICE_BYTES: number = 16 * 1024;
/** The alarm of the replicated state about a member whose state differs. */
export const STATE_ALARM = "state";

export interface StateChecksPorts {
  readonly nodeId: NodeId;
  monotonicMs(): number;
  random(): number;
  machine(): StateMachine;
  leads(): boolean;
  /** False while this node applies what it had applied before its start. */
  isCaughtUp(): boolean;
  members(): StateVoters;
  submit(bytes: Buffer, userId: number, client: WriteClient): string | null;
  /** Leader only: false when it can not be written now. */
  alarm(alarm: {
    readonly kind: string;
    readonly nodeId: NodeId;
    readonly text: string | null;
  }): boolean;
  /** A check is over, or has come to another verdict. */
  judged(verdict: StateVerdict): void;
  /** The state of this node is not the majority's. */
  diverged(text: string): void;
}

/** What commands and metrics see. */
export interface StateChecksView {
  /** The newest check's, as far as it has come; null before the first. */
  readonly verdict: StateVerdict | null;
  /** Begins one; `done` is told the verdict when all have answered or the time is up, or why there is none. */
  check(done: (verdict: StateVerdict | string) => void): void;
}

interface OpenCheck {
  readonly id: string;
  readonly index: Index;
  readonly reports: Map<NodeId, StateReport>;
  readonly endsAtMs: number;
  isTold: boolean;
}

export class StateChecks implements StateChecksView {
  readonly #ports: StateChecksPorts;
  readonly #intervalMs: number;
  #nextAtMs: number;
  #open: OpenCheck | null = null;
  #verdict: StateVerdict | null = null;
  /** The keyspace of the open check, being hashed, and the hash of all the rest. */
  #walk: { readonly hash: KeyspaceHashWalk; readonly rest: string } | null = null;
  readonly #waiting = new Map<string, ((verdict: StateVerdict | string) => void)[]>();
  /** Alarms as the newest verdict has them, that are not written yet. */
  readonly #alarms = new Map<NodeId, string | null>();
  #hasDiverged = false;

  /** `intervalMs` 0: none is begun by itself. */
  constructor(ports: StateChecksPorts, intervalMs: number) {
    this.#ports = ports;
    this.#intervalMs = intervalMs;
    this.#nextAtMs = ports.monotonicMs() + intervalMs;
  }

  get verdict(): StateVerdict | null {
    return this.#verdict;
  }

  /** A slice waits to be hashed. */
  get isRunnable(): boolean {
    return this.#walk !== null;
  }

  check(done: (verdict: StateVerdict | string) => void): void {
    const id = this.#newId();
    this.#waiting.set(id, [done]);
    const client = new InternalClient((outcome) => {
      if (!outcome.ok) this.#refused(id, outcome.errorText);
    });
    const refusal = this.#ports.submit(
      encodeInternalWrite(InternalWrite.CheckState, [id]),
      NODE_ACTOR_ID,
      client,
    );
    if (refusal !== null) this.#refused(id, refusal);
  }

  tick(): void {
    const nowMs = this.#ports.monotonicMs();
    this.#writeAlarms();
    const open = this.#open;
    if (open !== null && !open.isTold && nowMs >= open.endsAtMs) this.#tell(open);
    if (this.#intervalMs === 0 || nowMs < this.#nextAtMs) return;
    this.#nextAtMs = nowMs + this.#intervalMs;
    if (this.#ports.leads()) this.check(() => undefined);
  }

  /** In apply: a check or a report of `origin` has its turn. */
  applied(words: readonly string[], origin: NodeId, index: Index): void {
    const [name, id = "", report = ""] = words;
    if (name === InternalWrite.CheckState) this.#begin(id, index);
    else if (this.#open?.id === id) this.#reported(this.#open, origin, report);
  }

  /** Some of the hashing, between other work. */
  work(): void {
    const walk = this.#walk;
    if (walk === null) return;
    const endsAtMs = this.#ports.monotonicMs() + STATE_SLICE_MS;
    do {
      if (walk.hash.step({ slots: SLICE_SLOTS, bytes: SLICE_BYTES })) {
        this.#walk = null;
        this.#report(digestOf(walk.hash.hex(), walk.rest));
        return;
      }
    } while (this.#ports.monotonicMs() < endsAtMs);
  }

  /** The state is replaced, or a snapshot needs the keyspace: a check can be made again, and is not worth waiting for. */
  giveUp(): void {
    if (this.#walk === null) return;
    this.#walk.hash.cancel();
    this.#walk = null;
    this.#report(BUSY);
  }

  #newId(): string {
    return Math.floor(this.#ports.random() * 2 ** 52).toString(36);
  }

  #begin(id: string, index: Index): void {
    const nowMs = this.#ports.monotonicMs();
    if (this.#open !== null && !this.#open.isTold) this.#tell(this.#open);
    if (this.#walk !== null) {
      this.#walk.hash.cancel();
      this.#walk = null;
    }
    this.#nextAtMs = nowMs + this.#intervalMs;
    this.#open = null;
    if (!this.#ports.isCaughtUp()) {
      // What was applied before the start comes up again: its checks are over, and what this node reported then was the
      // state of another process.
      this.#refused(id, "LOADING this node has not applied all that was agreed before its start");
      return;
    }
    const endsAtMs = nowMs + STATE_REPORT_TIMEOUT_MS;
    this.#open = { id, index, reports: new Map(), endsAtMs, isTold: false };
    const state = this.#ports.machine();
    if (state.keyspace.isWalked) this.#report(BUSY);
    else this.#walk = { hash: beginStateHash(state.keyspace), rest: state.restHash() };
  }

  #report(report: StateReport): void {
    const { id } = this.#open!;
    const bytes = encodeInternalWrite(InternalWrite.ReportState, [id, report]);
    // One that can not be written is an answer that is missing, which is told.
    this.#ports.submit(bytes, NODE_ACTOR_ID, new InternalClient(() => undefined));
  }

  #reported(open: OpenCheck, origin: NodeId, report: StateReport): void {
    open.reports.set(origin, report);
    const verdict = judgeStates(
      { checkId: open.id, index: open.index },
      open.reports,
      this.#ports.members(),
    );
    this.#verdict = verdict;
    for (const { id, state } of verdict.members) this.#noteAlarm(id, state, open.index);
    if (verdict.members.every((member) => member.report !== null)) this.#tell(open);
    const own = verdict.members.find(({ id }) => id === this.#ports.nodeId);
    if (own?.state === "different") this.#diverge(open.index);
  }

  #noteAlarm(id: NodeId, state: string, index: Index): void {
    if (state === "different") {
      this.#alarms.set(id, `its state at log position ${index} is not that of the majority`);
    } else if (state === "equal") {
      this.#alarms.set(id, null);
    }
  }

  /** Whoever leads writes them; if that is the node that is wrong, the next leader does. */
  #writeAlarms(): void {
    if (this.#alarms.size === 0 || !this.#ports.leads()) return;
    const known = this.#ports.machine().members.alarms();
    for (const [nodeId, text] of this.#alarms) {
      const isRaised = known.some((alarm) => alarm.kind === STATE_ALARM && alarm.nodeId === nodeId);
      const isNews = (text !== null) !== isRaised;
      if (!isNews || this.#ports.alarm({ kind: STATE_ALARM, nodeId, text }))
        this.#alarms.delete(nodeId);
    }
  }

  #tell(open: OpenCheck): void {
    open.isTold = true;
    const check = { checkId: open.id, index: open.index };
    const verdict = judgeStates(check, open.reports, this.#ports.members());
    this.#verdict = verdict;
    this.#ports.judged(verdict);
    for (const done of this.#waiting.get(open.id) ?? []) done(verdict);
    this.#waiting.delete(open.id);
  }

  #refused(id: string, errorText: string): void {
    for (const done of this.#waiting.get(id) ?? []) done(errorText);
    this.#waiting.delete(id);
  }

  #diverge(index: Index): void {
    if (this.#hasDiverged) return;
    this.#hasDiverged = true;
    this.#ports.diverged(
      `the state of this node at log position ${index} is not that of the majority of the voters. It serves nobody any ` +
        "more; at the next start it takes the state from the other nodes",
    );
  }
}

function digestOf(keyspaceHash: string, rest: string): string {
  return createHash("sha256").update(keyspaceHash).update(rest).digest("hex").slice(0, 32);
}
