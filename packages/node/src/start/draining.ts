/** The end of a node's service: no readiness any more, and leadership goes to another node before connections close. */
import type { NodeConfig } from "../config/node-config.ts";
import type { Replica } from "../replica/replica.ts";

/** How often it is looked at whether another node leads. */
const POLL_INTERVAL_MS = 5;

export class Draining {
  #draining = false;

  get isDraining(): boolean {
    return this.#draining;
  }

  begin(): void {
    this.#draining = true;
  }

  /** Resolves when another node leads, or when none took over within two election timeouts. */
  async handOver(replica: Replica, config: Pick<NodeConfig, "electionTimeoutMs">): Promise<void> {
    if (replica.role() !== "leader" || !replica.handOver()) return;
    const deadlineMs = performance.now() + 2 * config.electionTimeoutMs;
    const stillHere = (): boolean => {
      const leader = replica.core.leader();
      return leader === null || leader === replica.nodeId;
    };
    while (stillHere() && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
  }
}
