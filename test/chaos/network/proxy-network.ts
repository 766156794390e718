/**
 * The network of a run as a proxy before each node's peer port, in the process of the run itself: works for every user of
 * a Linux machine. A connection that comes is that of the node whose process dialed it, so that each direction between two
 * nodes has a condition of its own although all nodes announce one address each.
 */
import { createServer, type Server, type Socket } from "node:net";
import { freePorts } from "../../e2e/harness/free-ports.ts";
import type { TestCluster, TestClusterOptions, TestNode } from "../../e2e/harness/cluster.ts";
import type { ChaosNetwork, LinkFault } from "./chaos-network.ts";
import { dialingProcess } from "./dialing-process.ts";
import { LinkConditions, type Heal, type LinkChange } from "./link-conditions.ts";
import { ProxiedConnection } from "./proxied-connection.ts";

interface Door {
  readonly port: number;
  readonly targetPort: number;
  /** Null while nobody listens: dials are refused. */
  server: Server | null;
  isRunning: boolean;
}

export class ProxyNetwork implements ChaosNetwork {
  readonly description = "a proxy before each node's peer port";
  readonly can: ReadonlySet<LinkFault> = new Set<LinkFault>(["cut", "delay", "rate", "reset"]);
  readonly settings: Readonly<Record<string, string>> = {};
  readonly clusterOptions: Pick<TestClusterOptions, "peerAddress">;
  readonly #random: () => number;
  readonly #conditions = new LinkConditions();
  readonly #doors: Map<number, Door> = new Map();
  readonly #connections: Set<ProxiedConnection> = new Set();
  #cluster: TestCluster | null = null;

  /** `random` gives the jitter, in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
    this.clusterOptions = { peerAddress: (node) => this.#announce(node) };
  }

  attach(cluster: TestCluster): Promise<void> {
    this.#cluster = cluster;
    return Promise.resolve();
  }

  async nodeStarts(index: number): Promise<void> {
    this.#doors.get(index)!.isRunning = true;
    await this.#openOrCloseDoors();
  }

  async nodeEnded(index: number): Promise<void> {
    this.#doors.get(index)!.isRunning = false;
    await this.#openOrCloseDoors();
  }

  async impair(changes: readonly LinkChange[]): Promise<Heal> {
    this.#conditions.add(changes);
    await this.#conditionsChanged();
    return async () => {
      this.#conditions.remove(changes);
      await this.#conditionsChanged();
    };
  }

  reset(one: number, other: number): void {
    for (const connection of this.#connections) {
      const ends = [connection.from, connection.to];
      if (ends.includes(one) && ends.includes(other)) connection.reset();
    }
  }

  async close(): Promise<void> {
    for (const door of this.#doors.values()) shut(door);
    for (const connection of this.#connections) connection.reset();
    await Promise.resolve();
  }

  async #announce(node: TestNode): Promise<string> {
    const [port] = await freePorts(1);
    this.#doors.set(node.index, {
      port,
      targetPort: node.peerPort,
      server: null,
      isRunning: false,
    });
    return `127.0.0.1:${port}`;
  }

  async #conditionsChanged(): Promise<void> {
    for (const connection of this.#connections) this.#setConditions(connection);
    await this.#openOrCloseDoors();
  }

  #setConditions(connection: ProxiedConnection): void {
    const { from, to } = connection;
    connection.set(this.#conditions.of(from, to), this.#conditions.of(to, from));
  }

  /** A node that is gone refuses; one whose links are cut does not answer at all, whether it is there or not. */
  async #openOrCloseDoors(): Promise<void> {
    for (const [index, door] of this.#doors) {
      const isOpen = door.isRunning || this.#conditions.touchesCut(index);
      if (!isOpen) shut(door);
      else if (door.server === null) await this.#open(index, door);
    }
  }

  async #open(index: number, door: Door): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    door.server = server;
    server.on("connection", (inbound) => this.#accept(index, door, inbound));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(door.port, "127.0.0.1", resolve);
    });
  }

  #accept(to: number, door: Door, inbound: Socket): void {
    const from = this.#dialer(inbound, door.port);
    if (from === null) {
      inbound.resetAndDestroy();
      return;
    }
    const ends = { from, to, targetPort: door.targetPort };
    const connection = new ProxiedConnection(ends, inbound, this.#random, () => {
      this.#connections.delete(connection);
    });
    this.#connections.add(connection);
    this.#setConditions(connection);
  }

  #dialer(inbound: Socket, listenerPort: number): number | null {
    const cluster = this.#cluster!;
    const running = cluster.nodes.filter(({ index }) => cluster.isRunning(index));
    const pids = running.map(({ index }) => cluster.pid(index));
    const pid = dialingProcess({ dialerPort: inbound.remotePort ?? 0, listenerPort }, pids);
    return pid === null ? null : running[pids.indexOf(pid)].index;
  }
}

/** What passes already goes on; its ends are seen by themselves. */
function shut(door: Door): void {
  door.server?.close();
  door.server = null;
}
