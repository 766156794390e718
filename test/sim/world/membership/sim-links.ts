/**
 * What links between real nodes know beside the bytes: who is a member, who was one, who knocks. In production a hello says it on
 * every new link (packages/node/src/peers); here nodes that can reach each other find it out by looking, a few times a second.
 */
import type {
  JoinRequest,
  LinkedMembers,
  MemberLinks,
  MemberRecord,
} from "@ferrite/node/simulation";
import type { Scheduler } from "../scheduler.ts";
import type { VirtualNetwork } from "../virtual-network.ts";

const LOOK_MS = 250;

/** One life of a node on the links. */
export interface LinkedLife {
  readonly nodeId: string;
  readonly schedule: Pick<Scheduler, "after">;
  readonly self: () => MemberRecord;
  /** It is in its own table, or still has to knock. */
  readonly isMember: () => boolean;
}

const REMOVED_TEXT = "a member says that this disk was removed";

export class SimLinks {
  readonly #network: VirtualNetwork;
  readonly #lives: Map<string, Life> = new Map();

  constructor(network: VirtualNetwork) {
    this.#network = network;
    this.#network.mayLink = (left, right) => this.#mayLink(left, right);
  }

  /** The links of a life that begins; its end ends them. */
  attach(life: LinkedLife): MemberLinks {
    const own = new Life(life, (peer) => this.levelOf(life.nodeId, peer));
    this.#lives.set(life.nodeId, own);
    const look = (): void => {
      this.#look(own);
      life.schedule.after(LOOK_MS, look);
    };
    life.schedule.after(LOOK_MS, look);
    return own;
  }

  detach(nodeId: string): void {
    this.#lives.delete(nodeId);
  }

  /** What a peer said in its hello that it supports; null without a link. */
  levelOf(nodeId: string, peer: string): number | null {
    if (!this.#network.isLinked(nodeId, peer)) return null;
    return this.#lives.get(peer)?.life.self().featureLevel ?? null;
  }

  #mayLink(left: string, right: string): boolean {
    const isRemoved = (by: string, id: string): boolean =>
      this.#lives.get(by)?.linked?.removed.includes(id) ?? false;
    return !isRemoved(left, right) && !isRemoved(right, left);
  }

  #look(own: Life): void {
    const { nodeId, isMember, self } = own.life;
    const { priority: _own, ...request } = self();
    for (const [otherId, other] of this.#lives) {
      if (other === own || !this.#network.isReachable(nodeId, otherId)) continue;
      if (other.linked?.removed.includes(nodeId) === true) own.tellRemoved(REMOVED_TEXT);
      else if (!isMember() && isWelcome(other.linked, request.name)) other.hear(request);
    }
  }
}

function isWelcome(linked: LinkedMembers | null, name: string): boolean {
  if (linked === null) return false;
  return linked.welcome === "anybody" || linked.welcome.includes(name);
}

class Life implements MemberLinks {
  readonly life: LinkedLife;
  readonly featureLevelOf: (id: string) => number | null;
  linked: LinkedMembers | null = null;
  #onJoinRequest: (request: JoinRequest) => void = () => {};
  #onRemoved: (text: string) => void = () => {};

  constructor(life: LinkedLife, featureLevelOf: (id: string) => number | null) {
    this.life = life;
    this.featureLevelOf = featureLevelOf;
  }

  setMembers(linked: LinkedMembers): void {
    this.linked = linked;
  }

  onJoinRequest(listener: (request: JoinRequest) => void): void {
    this.#onJoinRequest = listener;
  }

  onRemoved(listener: (text: string) => void): void {
    this.#onRemoved = listener;
  }

  hear(request: JoinRequest): void {
    // It takes its way over a link, like everything else.
    this.life.schedule.after(1, () => this.#onJoinRequest(request));
  }

  tellRemoved(text: string): void {
    this.life.schedule.after(1, () => this.#onRemoved(text));
  }
}
