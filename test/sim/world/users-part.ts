/** All that a simulation has to do with users: who changes them, who writes as them, and what is promised about both. */
import { checkHistory } from "../oracle/check-history.ts";
import { History, splitTokens } from "../oracle/history.ts";
import { UsersOracle } from "../oracle/users-oracle.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimNode } from "./sim-node.ts";
import type { SimNodeEvents } from "./sim-node-options.ts";
import { USER_KEYS, UserAdmin } from "./user-admin.ts";
import { UserWriters } from "./user-writers.ts";

export class UsersPart {
  readonly #nodes: readonly SimNode[];
  readonly #history: History = new History();
  readonly #oracle: UsersOracle;
  readonly #admin: UserAdmin;
  readonly #writers: UserWriters;
  /** Every node is in contact with the leader, and will be. */
  allInContact = false;

  constructor(options: {
    readonly nodes: readonly SimNode[];
    readonly scheduler: Scheduler;
    readonly prng: Prng;
    /** acl-max-staleness-ms of all nodes. */
    readonly boundMs: number;
    readonly trace: (line: string) => void;
  }) {
    this.#nodes = options.nodes;
    this.#oracle = new UsersOracle(options.boundMs);
    const shared = {
      nodes: options.nodes,
      scheduler: options.scheduler,
      oracle: this.#oracle,
      trace: options.trace,
      allInContact: () => this.allInContact,
    };
    this.#writers = new UserWriters({
      ...shared,
      prng: options.prng.fork(),
      history: this.#history,
    });
    this.#admin = new UserAdmin({
      ...shared,
      prng: options.prng.fork(),
      proposed: (name) => this.#writers.rush(name),
    });
  }

  /** What was promised and did not hold so far. */
  get problems(): readonly string[] {
    return this.#oracle.problems;
  }

  /** Every change that can still be answered has been. */
  get isIdle(): boolean {
    return this.#admin.isIdle;
  }

  get writes(): number {
    return this.#history.appends.length;
  }

  start(): void {
    this.#admin.start();
    this.#writers.start();
  }

  stop(): void {
    this.#admin.stop();
    this.#writers.stop();
  }

  nodeDied(node: SimNode): void {
    this.#admin.nodeDied(node);
  }

  readonly changed: SimNodeEvents["usersChanged"] = (change, index) =>
    this.#oracle.changed(change, index);

  applied(node: SimNode, index: number): void {
    this.#writers.applied(node, index);
  }

  /** In a whole cluster changes are answered at once. */
  overdue(window: {
    readonly fromMs: number;
    readonly untilMs: number;
    readonly answerMs: number;
  }): string[] {
    return this.#oracle.changes
      .filter(({ startMs }) => startMs >= window.fromMs && startMs <= window.untilMs)
      .filter(({ startMs, endMs }) => endMs - startMs > window.answerMs)
      .map(({ tag, startMs, endMs }) => {
        return `liveness: long after the faults change ${tag} was answered after ${endMs - startMs} ms`;
      });
  }

  /** At the end, when all nodes hold the same. */
  finish(): string[] {
    const values = new Map(
      USER_KEYS.map((key) => [key, splitTokens(this.#nodes[0].valueFrom(key, 0))] as const),
    );
    return [...this.#oracle.finish(), ...checkHistory(this.#history, values)];
  }
}
