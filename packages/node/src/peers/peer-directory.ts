/** Who the peers are: by name from the start, by node id once the cluster is formed; each with its dialer. */
import type { NodeId } from "@ferrite/raft";
import { parseHostPort } from "../config/host-port.ts";
import { PeerDialer } from "./dialer.ts";
import type { DialerHandlers } from "./dialer.ts";
import type { Hello } from "./hello.ts";
import type { LinkServices, PeerLink } from "./link.ts";
import type { Genesis } from "./membership.ts";
import type { PeerNetworkOptions } from "./options.ts";
import type { PeerGate } from "./peer-gate.ts";

/** What the network knows of one peer. */
export interface PeerState {
  readonly name: string;
  /** Its registered id; null until the cluster is formed. */
  id: NodeId | null;
  readonly dialer: PeerDialer;
  /** The link it dialed to us, on which it sends; null when there is none. */
  accepted: PeerLink | null;
  /** The one before it, which still delivers what the peer had sent on it; null when there is none. */
  predecessor: PeerLink | null;
  /** What the replica was told last. */
  toldConnected: boolean;
  /** Whether the replica was told, since the last open link, that nobody listens there. */
  toldRefused: boolean;
}

/** All links with a peer that are not ended. */
export function linksOf(peer: PeerState): readonly PeerLink[] {
  return [...peer.dialer.links, peer.accepted, peer.predecessor].filter((link) => link !== null);
}

export class PeerDirectory {
  readonly #options: PeerNetworkOptions;
  readonly #services: LinkServices & { random(): number };
  readonly #handlers: DialerHandlers;
  readonly #byName = new Map<string, PeerState>();
  readonly #byId = new Map<NodeId, PeerState>();

  constructor(
    options: PeerNetworkOptions,
    services: LinkServices & { random(): number },
    handlers: DialerHandlers,
  ) {
    this.#options = options;
    this.#services = services;
    this.#handlers = handlers;
  }

  named(name: string): PeerState | undefined {
    return this.#byName.get(name);
  }

  withId(id: NodeId): PeerState | undefined {
    return this.#byId.get(id);
  }

  /** The peer whose dialed or accepted link this is. */
  ofLink(link: PeerLink): PeerState | undefined {
    for (const peer of this.#byName.values()) {
      if (linksOf(peer).includes(link)) {
        return peer;
      }
    }
    return undefined;
  }

  all(): readonly PeerState[] {
    return [...this.#byName.values()];
  }

  /** The links on which this node's hello was said. */
  links(): readonly PeerLink[] {
    return this.all().flatMap(linksOf);
  }

  /** Begins to dial those the configuration names, or the members of the cluster when it is known. */
  dialAll(gate: PeerGate): void {
    const { genesis, peers } = this.#options;
    for (const peer of genesis === null ? peers : this.#targets(genesis)) {
      this.#add(peer.name, peer.address, gate);
    }
  }

  /**
   * The members are known: gives each peer its id, dials those not dialed yet, drops those that are none.
   * @returns the names of the dropped.
   */
  adoptMembers(genesis: Genesis, gate: PeerGate): readonly string[] {
    for (const target of this.#targets(genesis)) {
      this.#add(target.name, target.address, gate);
    }
    const dropped: string[] = [];
    for (const peer of this.all()) {
      const member = genesis.members.find((each) => each.name === peer.name);
      if (member === undefined) {
        peer.dialer.stop();
        peer.accepted?.end(null);
        peer.predecessor?.end(null);
        this.#byName.delete(peer.name);
        dropped.push(peer.name);
      } else {
        peer.id = member.id;
        this.#byId.set(member.id, peer);
      }
    }
    return dropped;
  }

  /** A member that moved says where it is now; what the operator configured goes before that. */
  learnAddress(peer: PeerState, hello: Hello): void {
    const configured = this.#options.peers.some((each) => each.name === peer.name);
    if (!configured && parseHostPort(hello.peerAddress) !== null) {
      peer.dialer.address = hello.peerAddress;
    }
  }

  /** Where the members are: as configured, else as they said when the cluster was formed. */
  #targets(genesis: Genesis): { readonly name: string; readonly address: string }[] {
    const { identity, peers } = this.#options;
    return genesis.members
      .filter((member) => member.name !== identity.name)
      .map((member) => ({
        name: member.name,
        address: peers.find((peer) => peer.name === member.name)?.address ?? member.peerAddress,
      }));
  }

  #add(name: string, address: string, gate: PeerGate): void {
    if (this.#byName.has(name)) {
      return;
    }
    const dialer = new PeerDialer({ name, address, gate }, this.#services, this.#handlers);
    const noLinks = { accepted: null, predecessor: null };
    const toldNothing = { toldConnected: false, toldRefused: false };
    this.#byName.set(name, { name, id: null, dialer, ...noLinks, ...toldNothing });
    dialer.start();
  }
}
