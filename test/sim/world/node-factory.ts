/** Makes the nodes of a simulated cluster, those it begins with and those that come later, all with the same events. */
import {
  accessPorts,
  createCommandTable,
  type AccessPorts,
  type CommandTable,
  type Member,
} from "@ferrite/node/simulation";
import { uncheckedAccess, type Canary } from "./canary.ts";
import { diskSpeed, type ClusterShape } from "./cluster-shape.ts";
import { edgeParts, type EdgeParts } from "./edge/node-edge.ts";
import type { SimLinks } from "./membership/sim-links.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimNodeEvents } from "./sim-node-options.ts";
import { SimNode } from "./sim-node.ts";
import type { VirtualNetwork } from "./virtual-network.ts";

export interface NodeFactoryOptions {
  readonly shape: ClusterShape;
  readonly scheduler: Scheduler;
  readonly network: VirtualNetwork;
  readonly links: SimLinks;
  readonly prng: Prng;
  readonly atRestPrng: Prng;
  readonly canary: Canary;
  readonly events: SimNodeEvents;
  /** Of the version that runs under this name. */
  readonly featureLevel: (name: string) => number;
}

/** Ids of the genesis end in 1 to 9. */
const LATER_IDS = 0x10;

export class NodeFactory {
  readonly #options: NodeFactoryOptions;
  readonly #table: CommandTable = createCommandTable();
  readonly #access: AccessPorts;
  readonly #edge: EdgeParts;
  #ids = LATER_IDS;

  constructor(options: NodeFactoryOptions) {
    this.#options = options;
    const access = accessPorts(this.#table);
    this.#access = options.canary.applyUnchecked ? uncheckedAccess(access) : access;
    this.#edge = edgeParts(this.#table);
  }

  founders(): SimNode[] {
    return this.#options.shape.genesis.members.map((member) => this.#make(member));
  }

  /** With an empty disk, and nobody has heard of it. */
  newcomer(name: string): SimNode {
    const id = this.#newId();
    const at = parseInt(id.slice(-2), 16);
    return this.#make({
      id,
      name,
      peerAddress: `10.0.1.${at}:16379`,
      clientAddress: `10.0.1.${at}:6379`,
    });
  }

  #newId(): string {
    return `00000000-0000-4000-8000-${(this.#ids++).toString(16).padStart(12, "0")}`;
  }

  #make(member: Member): SimNode {
    const { shape, prng, atRestPrng, featureLevel, ...shared } = this.#options;
    return new SimNode({
      ...shared,
      member,
      genesis: shape.genesis,
      limits: shape.limits,
      roundAfterMs: shape.roundAfterMs,
      prng: prng.fork(),
      atRestPrng: atRestPrng.fork(),
      table: this.#table,
      access: this.#access,
      diskSpeed: diskSpeed(prng, shape),
      edge: this.#edge,
      featureLevel: () => featureLevel(member.name),
      newId: () => this.#newId(),
    });
  }
}
