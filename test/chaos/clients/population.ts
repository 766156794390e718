/** The clients of a run: as many on each node, with every kind of workload. */
import type { Prng } from "../../sim/world/prng.ts";
import type { Machines } from "../machines.ts";
import { ChaosClient } from "./chaos-client.ts";
import type { History } from "./history.ts";
import { Workloads } from "./workloads.ts";

export interface PopulationOptions {
  readonly clientsPerNode: number;
  /** Middle of a client's pause between two requests. */
  readonly thinkMs: number;
}

/** Short against any gap that is worth a word. */
const PROBE_THINK_MS = 5;

export class Population {
  readonly clients: readonly ChaosClient[];
  /** One more on each node, which writes all the time: its gaps are those of the cluster, not its own pauses. */
  readonly probes: readonly ChaosClient[];

  /** All begin at once. */
  constructor(machines: Machines, history: History, random: Prng, options: PopulationOptions) {
    const nodes = machines.nodeIndexes.length;
    const workloads = new Workloads(nodes);
    let connections = 0;
    const world = {
      connect: (node: number) => machines.cluster.client(node),
      history,
      random,
      nextConnection: () => connections++,
      nodes,
    };
    const numbers = Array.from({ length: nodes * options.clientsPerNode }, (_, number) => number);
    this.clients = numbers.map((number) => {
      const plan = { number, node: number % nodes, role: workloads.of(Math.floor(number / nodes)) };
      return new ChaosClient({ ...plan, thinkMs: options.thinkMs }, world);
    });
    this.probes = machines.nodeIndexes.map((node) => {
      const plan = { number: numbers.length + node, node, role: workloads.probe() };
      return new ChaosClient({ ...plan, thinkMs: PROBE_THINK_MS }, world);
    });
  }

  get all(): readonly ChaosClient[] {
    return [...this.clients, ...this.probes];
  }

  get violations(): string[] {
    return this.all.flatMap((client) => client.violations);
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((client) => client.stop()));
  }
}
