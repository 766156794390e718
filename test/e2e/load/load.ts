/** Several clients of each kind on some of a cluster's nodes. */
import { until, type TestCluster } from "../harness/cluster.ts";
import { RespError } from "../harness/resp-client.ts";
import { CounterWorkload } from "./counter-workload.ts";
import { LoadClient } from "./load-client.ts";
import { PipelineWorkload } from "./pipeline-workload.ts";
import { TokenWorkload } from "./token-workload.ts";
import type { Outcome } from "./outcome.ts";
import type { Workload } from "./workload.ts";

export class Load {
  readonly #cluster: TestCluster;
  readonly #nodes: readonly number[];
  readonly #workloads: readonly (readonly Workload[])[];
  #clients: LoadClient[] = [];

  /** `name` keeps the keys of one load apart from those of another. */
  constructor(
    cluster: TestCluster,
    options: { readonly name: string; readonly nodes: readonly number[] },
  ) {
    this.#cluster = cluster;
    this.#nodes = options.nodes;
    this.#workloads = options.nodes.map((node) => [
      new CounterWorkload(`${options.name}:counter:${node}:a`),
      new CounterWorkload(`${options.name}:counter:${node}:b`),
      new TokenWorkload(`${options.name}:tokens:${node}:a`),
      new TokenWorkload(`${options.name}:tokens:${node}:b`),
      new PipelineWorkload(`${options.name}:set:${node}`),
    ]);
  }

  /** Connects and begins; again after `stop`, with the same workloads. */
  async start(): Promise<void> {
    for (const [position, node] of this.#nodes.entries()) {
      for (const workload of this.#workloads[position]) {
        this.#clients.push(new LoadClient(await this.#cluster.client(node), workload));
      }
    }
  }

  async stop(): Promise<void> {
    const clients = this.#clients;
    this.#clients = [];
    await Promise.all(clients.map((client) => client.stop()));
  }

  mark(): void {
    for (const client of this.#clients) client.mark();
  }

  /** Until every connection has had so many writes acknowledged since the last `mark`. */
  async acknowledged(count: number): Promise<void> {
    await until(`${count} acknowledged writes on every connection`, () => {
      const ended = this.#clients.filter((client) => client.hasEnded);
      // `stop` tells why.
      if (ended.length > 0) throw new Error(`${ended.length} connections ended under load`);
      return this.#clients.every((client) => client.acknowledged >= count);
    });
  }

  /** The longest pause that any connection has seen since the last `mark`. */
  longestGapMs(): number {
    return Math.max(...this.#clients.map((client) => client.longestGapMs));
  }

  count(outcome: Outcome): number {
    return this.#workloads.flat().reduce((sum, workload) => sum + workload.count(outcome), 0);
  }

  /** Every promise broken, as one node sees it now. */
  async violations(node: number): Promise<string[]> {
    const client = await this.#cluster.client(node);
    try {
      await client.call("FERRITE.CONSISTENCY", "linearizable");
      // A node that has just started answers LOADING, and an error must not be taken for a lost write.
      await until(`node ${node} answers reads`, async () => {
        return !((await client.call("GET", "load:probe")) instanceof RespError);
      });
      const found: string[] = [];
      for (const workload of this.#workloads.flat())
        found.push(...(await workload.violations(client)));
      return found;
    } finally {
      client.close();
    }
  }
}
