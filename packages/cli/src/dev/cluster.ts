/** The nodes of a development cluster together: starting, watching who leads, stopping in order. */
import type { NodeStatus } from "../start/supervision.ts";
import type { World } from "../world.ts";
import { CliError } from "../errors.ts";
import { ChildNode, type ChildNodeEvents } from "./child-node.ts";
import type { PlannedNode } from "./plan.ts";

/** From the start of the processes to a leader that all of them know. */
export const START_TIMEOUT_MS = 60_000;
/** A node that has not stopped by then is ended. Longer than a node gives itself. */
export const STOP_TIMEOUT_MS = 30_000;
const POLL_INTERVAL_MS = 50;

/** Who leads, as a majority of the nodes sees it. */
export interface Leadership {
  readonly leader: ChildNode;
  readonly term: number;
}

export class DevCluster {
  readonly nodes: readonly ChildNode[];

  constructor(plan: readonly PlannedNode[], world: World, events: ChildNodeEvents) {
    this.nodes = plan.map((node) => new ChildNode(node, world, events));
  }

  get running(): readonly ChildNode[] {
    return this.nodes.filter((node) => node.isRunning);
  }

  get hasMajority(): boolean {
    return this.running.length * 2 > this.nodes.length;
  }

  /**
   * Waits until every node that lives serves and knows the same leader. Throws CliError when too few live for that
   * or it takes too long.
   */
  async untilLed(signal: AbortSignal): Promise<Leadership> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    const expired = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, START_TIMEOUT_MS);
      timer.unref();
    });
    await Promise.race([
      Promise.all(this.nodes.map((node) => node.startedOrExited)),
      expired,
      aborted(signal),
    ]);
    while (!signal.aborted && this.hasMajority && performance.now() < deadline) {
      const leadership = await this.leadership();
      if (leadership !== null) return leadership;
      await pause(POLL_INTERVAL_MS);
    }
    if (!this.hasMajority) {
      throw new CliError(
        "startFailed",
        `only ${this.running.length} of ${this.nodes.length} nodes run`,
      );
    }
    throw new CliError("startFailed", `no leader within ${START_TIMEOUT_MS / 1000} s`);
  }

  /** Null unless all nodes that run name the same leader and take writes. */
  async leadership(): Promise<Leadership | null> {
    const statuses = await this.#statuses();
    const answers = [...statuses.values()];
    if (answers.length < this.running.length) return null;
    const leader = [...statuses].find(([, status]) => status.role === "leader");
    if (leader === undefined) return null;
    const [node, { nodeId, term }] = leader;
    const agreed = answers.every(
      (status) => status.leaderId === nodeId && status.writeRefusal === null,
    );
    return agreed ? { leader: node, term } : null;
  }

  /** Stops the followers first and the leader last, so that leadership does not wander through the cluster. */
  async stop(): Promise<void> {
    const statuses = await this.#statuses();
    const isLeader = (node: ChildNode): boolean => statuses.get(node)?.role === "leader";
    await this.#stopAll(this.running.filter((node) => !isLeader(node)));
    await this.#stopAll(this.running);
  }

  /** Ends every process at once. */
  kill(): void {
    for (const node of this.running) node.kill();
  }

  async #statuses(): Promise<Map<ChildNode, NodeStatus>> {
    const statuses = new Map<ChildNode, NodeStatus>();
    const started = this.running.filter((node) => node.started);
    await Promise.all(
      started.map(async (node) => {
        const status = await node.status();
        if (status !== null) statuses.set(node, status);
      }),
    );
    return statuses;
  }

  async #stopAll(nodes: readonly ChildNode[]): Promise<void> {
    for (const node of nodes) node.requestStop();
    const timer = setTimeout(() => {
      for (const node of nodes) if (node.isRunning) node.kill();
    }, STOP_TIMEOUT_MS);
    await Promise.all(nodes.map((node) => node.exited));
    clearTimeout(timer);
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}
