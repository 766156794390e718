/**
 * The network of a run as network namespaces: each node on a machine of its own, as far as the kernel's network goes.
 *
 *   node1 [eth0 10.77.0.1] ──veth──┐
 *   node2 [eth0 10.77.0.2] ──veth──┤ bridge ferrite0, 10.77.0.254: here the clients are
 *   node3 [eth0 10.77.0.3] ──veth──┘
 *
 * Runs inside a network and a mount namespace that the run made for itself (own-namespaces.ts), so that nothing of it is
 * seen by the machine, and nothing is left when its last process ends, however it ends. What is sent to a node that does
 * not hear its sender is dropped by a rule where it arrives: the direction back is not touched. TCP does not know one-way
 * lines, so that such a cut looks to the nodes like one of both, with other timing; the proxy cuts one direction cleanly.
 */
import { existsSync, mkdirSync } from "node:fs";
import { findProgram, runProgram } from "../../e2e/harness/program.ts";
import type { TestCluster, TestClusterOptions } from "../../e2e/harness/cluster.ts";
import { ChaosError } from "../errors.ts";
import type { ChaosNetwork, LinkFault } from "./chaos-network.ts";
import { LinkConditions, type Heal, type LinkChange } from "./link-conditions.ts";

const BRIDGE = "ferrite0";
const CLIENTS_ADDRESS = "10.77.0.254";
/** `ip netns` keeps names of namespaces here. */
const NAMES_DIRECTORY = "/run/netns";
/** Policy rules of ours; lower is looked at earlier, and the table "local" stands at 0. */
const RULE_PREFERENCE = 100;
/** What one node may send before the rate counts. */
const BURST_BYTES = 32 * 1024;

export class NamespaceNetwork implements ChaosNetwork {
  readonly description = "network namespaces, veth pairs and a bridge";
  readonly can: ReadonlySet<LinkFault> = new Set<LinkFault>(["cut", "rate"]);
  /** Clients are on another machine, as the nodes see it. */
  readonly settings: Readonly<Record<string, string>> = { "protected-mode": "no" };
  readonly clusterOptions: Pick<TestClusterOptions, "hostOf" | "launcherOf"> = {
    hostOf: addressOf,
    launcherOf: (index) => ["nsenter", `--net=${NAMES_DIRECTORY}/${namespaceOf(index)}`],
  };
  readonly #count: number;
  readonly #conditions = new LinkConditions();
  /** "from to" of all directions that are cut now. */
  readonly #cut: Set<string> = new Set();
  readonly #slowed: Set<number> = new Set();

  static async create(nodes: number): Promise<NamespaceNetwork> {
    const network = new NamespaceNetwork(nodes);
    await network.#build();
    return network;
  }

  private constructor(count: number) {
    this.#count = count;
  }

  attach(_cluster: TestCluster): Promise<void> {
    return Promise.resolve();
  }

  nodeStarts(): Promise<void> {
    return Promise.resolve();
  }

  nodeEnded(): Promise<void> {
    return Promise.resolve();
  }

  async impair(changes: readonly LinkChange[]): Promise<Heal> {
    this.#conditions.add(changes);
    await this.#carryOut();
    return async () => {
      this.#conditions.remove(changes);
      await this.#carryOut();
    };
  }

  reset(): void {
    throw new ChaosError("notPossible", "namespaces do not break connections; the proxy does");
  }

  /** The namespaces end with the run. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #build(): Promise<void> {
    if (!existsSync(NAMES_DIRECTORY)) mkdirSync(NAMES_DIRECTORY);
    await run("mount", "-t", "tmpfs", "tmpfs", NAMES_DIRECTORY);
    await run("ip", "link", "set", "lo", "up");
    await run("ip", "link", "add", BRIDGE, "type", "bridge");
    await run("ip", "addr", "add", `${CLIENTS_ADDRESS}/24`, "dev", BRIDGE);
    await run("ip", "link", "set", BRIDGE, "up");
    for (let index = 0; index < this.#count; index++) await this.#plugIn(index);
  }

  async #plugIn(index: number): Promise<void> {
    const namespace = namespaceOf(index);
    await run("ip", "netns", "add", namespace);
    const pair = ["veth", "peer", "name", "eth0", "netns", namespace];
    await run("ip", "link", "add", `${namespace}-port`, "type", ...pair);
    await run("ip", "link", "set", `${namespace}-port`, "master", BRIDGE, "up");
    await run("ip", "-n", namespace, "addr", "add", `${addressOf(index)}/24`, "dev", "eth0");
    await run("ip", "-n", namespace, "link", "set", "eth0", "up");
    await run("ip", "-n", namespace, "link", "set", "lo", "up");
    // Ours have to be looked at before the table of local addresses, which takes everything that arrives.
    await run("ip", "-n", namespace, "rule", "add", "preference", "200", "lookup", "local");
    await run("ip", "-n", namespace, "rule", "del", "preference", "0");
  }

  async #carryOut(): Promise<void> {
    for (let from = 0; from < this.#count; from++) {
      let bytesPerMs = Infinity;
      for (let to = 0; to < this.#count; to++) {
        if (to === from) continue;
        const condition = this.#conditions.of(from, to);
        bytesPerMs = Math.min(bytesPerMs, condition.bytesPerMs);
        await this.#setCut(from, to, condition.isCut);
      }
      await this.#setRate(from, bytesPerMs);
    }
  }

  async #setCut(from: number, to: number, isCut: boolean): Promise<void> {
    const name = `${from} ${to}`;
    if (isCut === this.#cut.has(name)) return;
    const rule = ["from", addressOf(from), "preference", String(RULE_PREFERENCE), "blackhole"];
    await run("ip", "-n", namespaceOf(to), "rule", isCut ? "add" : "del", ...rule);
    if (isCut) this.#cut.add(name);
    else this.#cut.delete(name);
  }

  /** Of all that the node sends: the kernel's shaper knows lines, not who is at their other end. */
  async #setRate(node: number, bytesPerMs: number): Promise<void> {
    const device = ["-n", namespaceOf(node), "qdisc", "del", "dev", "eth0", "root"];
    if (this.#slowed.delete(node)) await run("tc", ...device);
    if (bytesPerMs === Infinity) return;
    const kilobits = `${Math.ceil(bytesPerMs * 8)}kbit`;
    const shaper = ["tbf", "rate", kilobits, "burst", String(BURST_BYTES), "latency", "2000ms"];
    const words = ["-n", namespaceOf(node), "qdisc", "add", "dev", "eth0", "root", ...shaper];
    await run("tc", ...words);
    this.#slowed.add(node);
  }
}

/** What is missing for a network of namespaces on this machine, or null. */
export function missingForNamespaces(): string | null {
  const missing = ["unshare", "nsenter", "ip", "tc", "mount"].filter(
    (name) => findProgram(name) === null,
  );
  return missing.length === 0 ? null : `${missing.join(", ")} not installed`;
}

function namespaceOf(index: number): string {
  return `ferrite${index + 1}`;
}

function addressOf(index: number): string {
  return `10.77.0.${index + 1}`;
}

async function run(program: string, ...words: string[]): Promise<void> {
  const { exitCode, errorOutput } = await runProgram(program, words);
  if (exitCode === 0) return;
  throw new ChaosError("programFailed", `${program} ${words.join(" ")}: ${errorOutput.trim()}`);
}
