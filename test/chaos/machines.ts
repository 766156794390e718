/**
 * The machines of a run: a cluster of real processes, and for each node what can be done to it from outside: signals, its
 * disk, its clock. Whoever does something to a node says so here, so that an end nobody asked for is noticed.
 */
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pause, TestCluster } from "../e2e/harness/cluster.ts";
import { HungDisk } from "../e2e/harness/hung-disk.ts";
import { SmallDisk } from "../e2e/harness/small-disk.ts";
import type { ChaosNetwork } from "./network/chaos-network.ts";
import { ShiftedClock } from "./shifted-clock.ts";

/** Small enough to be filled at once, large enough for what a run writes between two snapshots. */
const SMALL_DISK_BYTES = 96 * 1024 ** 2;
/** A node that was asked to stop has to be gone by then. */
const STOP_TIMEOUT_MS = 60_000;
/** A node that does not say by then whether it leads is taken for one that does not. */
const ROLE_TIMEOUT_MS = 1_000;

export interface MachinesOptions {
  readonly nodes: number;
  readonly settings: Readonly<Record<string, string>>;
  /** Nodes whose data lies on a disk that can be filled. */
  readonly smallDisks: readonly number[];
}

export class Machines {
  readonly cluster: TestCluster;
  readonly network: ChaosNetwork;
  /** Of each node. */
  readonly disks: readonly HungDisk[];
  /** Of each node; empty where libfaketime is not installed. */
  readonly clocks: readonly ShiftedClock[];
  readonly smallDisks: ReadonlyMap<number, SmallDisk>;
  /** Ends of processes that nobody asked for, as sentences. */
  readonly unexpectedEnds: string[] = [];
  readonly #paused: Set<number> = new Set();
  /** Nodes whose end is somebody's doing. */
  readonly #ending: Set<number> = new Set();

  /** Prepares everything and starts all nodes, without waiting for them. */
  static async start(network: ChaosNetwork, options: MachinesOptions): Promise<Machines> {
    const smallDisks = mountSmallDisks(options.smallDisks);
    // Known only when the cluster has its directory; asked for only when the first node is started.
    const environments: Record<string, string>[] = [];
    const cluster = await TestCluster.prepare({
      ...network.clusterOptions,
      nodes: options.nodes,
      settings: { ...options.settings, ...network.settings },
      environmentOf: (name) => environments[Number(name.replace("node", "")) - 1],
      dataDir: (name) => {
        const disk = smallDisks.get(Number(name.replace("node", "")) - 1);
        return disk === undefined ? null : join(disk.directory, "data");
      },
    });
    const faults = join(cluster.directory, "faults");
    mkdirSync(faults);
    const disks = cluster.nodes.map(({ name }) => new HungDisk(join(faults, name)));
    const library = ShiftedClock.library();
    const clocks =
      library === null
        ? []
        : cluster.nodes.map(({ name }) => new ShiftedClock(library, join(faults, `${name}.clock`)));
    for (const { index } of cluster.nodes) {
      environments.push({ ...disks[index].environment, ...clocks[index]?.environment });
    }
    const machines = new Machines({ cluster, network, disks, clocks, smallDisks });
    await network.attach(cluster);
    for (const { index } of cluster.nodes) await machines.startNode(index);
    return machines;
  }

  private constructor(
    parts: Pick<Machines, "cluster" | "network" | "disks" | "clocks" | "smallDisks">,
  ) {
    this.cluster = parts.cluster;
    this.network = parts.network;
    this.disks = parts.disks;
    this.clocks = parts.clocks;
    this.smallDisks = parts.smallDisks;
  }

  get nodeIndexes(): number[] {
    return this.cluster.nodes.map(({ index }) => index);
  }

  name(index: number): string {
    return this.cluster.nodes[index].name;
  }

  /** Starts a node that does not run; does not wait until it is ready. */
  async startNode(index: number): Promise<void> {
    await this.network.nodeStarts(index);
    this.#ending.delete(index);
    const child = this.cluster.spawn(index);
    child.once("exit", (code, signal) => {
      if (!this.cluster.isRunning(index)) void this.network.nodeEnded(index);
      if (this.#ending.has(index)) return;
      this.unexpectedEnds.push(`${this.name(index)} ended by itself: ${signal ?? `code ${code}`}`);
    });
  }

  /** Ends a node with this signal and waits for its end. */
  async endNode(index: number, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#ending.add(index);
    const timer = setTimeout(() => {
      this.unexpectedEnds.push(`${this.name(index)} did not stop within ${STOP_TIMEOUT_MS} ms`);
      void this.cluster.end(index, "SIGKILL");
    }, STOP_TIMEOUT_MS);
    await this.cluster.end(index, signal);
    clearTimeout(timer);
    this.#paused.delete(index);
    await this.network.nodeEnded(index);
  }

  /** The node's process may end by itself from now on, until it is started again. */
  mayEnd(index: number): void {
    this.#ending.add(index);
  }

  /** What a node that does not run has on its disk is gone. */
  wipe(index: number): void {
    rmSync(this.cluster.nodes[index].dataDir, { recursive: true, force: true });
  }

  pause(index: number): void {
    process.kill(this.cluster.pid(index), "SIGSTOP");
    this.#paused.add(index);
  }

  resume(index: number): void {
    if (!this.#paused.delete(index)) return;
    process.kill(this.cluster.pid(index), "SIGCONT");
  }

  /** The node that leads as far as one can be asked now, or null. */
  async leader(): Promise<number | null> {
    const running = this.nodeIndexes.filter((index) => {
      return this.cluster.isRunning(index) && !this.#paused.has(index);
    });
    const roles = await Promise.all(running.map((index) => this.#role(index)));
    return running.find((_, at) => roles[at] === "master") ?? null;
  }

  /** As the node says itself; null when it does not. */
  async #role(index: number): Promise<string | null> {
    const asked = this.cluster.info(index, "replication").then(
      (info) => info.get("role") ?? null,
      () => null,
    );
    return await Promise.race([asked, pause(ROLE_TIMEOUT_MS).then(() => null)]);
  }

  /** Ends all nodes. What they wrote stays, also what lay on small disks. */
  async stop(): Promise<void> {
    for (const { index } of this.cluster.nodes) this.#ending.add(index);
    await this.cluster.endAll();
    await this.network.close();
  }

  /** After `stop`: copies what lies on small disks beside the rest. */
  keepData(): void {
    for (const [index, disk] of this.smallDisks) {
      cpSync(disk.directory, join(this.cluster.directory, this.name(index)), { recursive: true });
    }
  }

  /** After `stop`. */
  unmount(): void {
    for (const disk of this.smallDisks.values()) disk.unmount();
  }
}

function mountSmallDisks(nodes: readonly number[]): Map<number, SmallDisk> {
  const disks = new Map<number, SmallDisk>();
  for (const index of nodes) {
    const disk = SmallDisk.mount(SMALL_DISK_BYTES);
    if (disk !== null) disks.set(index, disk);
  }
  return disks;
}
