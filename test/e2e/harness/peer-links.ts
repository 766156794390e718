/**
 * The links between the nodes of a cluster, each direction of dialing behind a proxy of its own, so that one node can be
 * cut off from the others. Use: `prepare` the cluster, `PeerLinks.of` it, spawn each node with `settings(index)`.
 */
import type { TestCluster } from "./cluster.ts";
import { GatedProxy } from "./gated-proxy.ts";

interface Link {
  readonly from: number;
  readonly to: number;
  readonly proxy: GatedProxy;
}

export class PeerLinks {
  readonly #cluster: TestCluster;
  readonly #links: readonly Link[];

  static async of(cluster: TestCluster): Promise<PeerLinks> {
    const links: Link[] = [];
    for (const from of cluster.nodes) {
      for (const to of cluster.nodes) {
        if (from === to) continue;
        const proxy = await GatedProxy.before(to.peerPort);
        links.push({ from: from.index, to: to.index, proxy });
      }
    }
    return new PeerLinks(cluster, links);
  }

  private constructor(cluster: TestCluster, links: readonly Link[]) {
    this.#cluster = cluster;
    this.#links = links;
  }

  /** What the node has to be told so that it dials the others through the proxies. */
  settings(index: number): Readonly<Record<string, string>> {
    const peers = this.#links
      .filter(({ from }) => from === index)
      .map(({ to, proxy }) => `${this.#cluster.nodes[to].name}=127.0.0.1:${proxy.port}`);
    // What a node says of itself is tried too when the configured way is shut, so that has to lead through a proxy as well.
    const own = this.#links.find(({ to }) => to === index)?.proxy;
    const announced = own === undefined ? {} : { "peer-announce": `127.0.0.1:${own.port}` };
    return { peers: peers.join(","), ...announced };
  }

  /** From now on nothing passes between this node and the others; their connections stay open, as if a cable were cut. */
  isolate(index: number): void {
    for (const { from, to, proxy } of this.#links) {
      if (from === index || to === index) proxy.lose("both");
    }
  }

  /** Everybody reaches everybody again. */
  heal(): void {
    for (const { proxy } of this.#links) if (proxy.isLosing) proxy.pass();
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map(({ proxy }) => proxy.close()));
  }
}
