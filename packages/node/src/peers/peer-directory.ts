/** The peers by name and by disk, each with its dialer, as the member table says whom to have links with. */
import type { NodeId } from "@ferrite/raft";
import { PeerDialer } from "./dialer.ts";
import type { DialerHandlers } from "./dialer.ts";
import type { LinkServices, PeerLink } from "./link.ts";
import type { LinkTarget } from "./member-table.ts";
import type { PeerGate } from "./peer-gate.ts";

/** What the network knows of one peer. */
export interface PeerState {
  readonly name: string;
  /** Its disk by the member table; null when that does not name it. */
  id: NodeId | null;
  readonly dialer: PeerDialer;
  /** The link it dialed to us, on which it sends; null when there is none. */
  accepted: PeerLink | null;
  /** The one before it, which still delivers what the peer had sent on it; null when there is none. */
  predecessor: PeerLink | null;
  /** The disk that the replica was told of last, as one that it can send to; null: none, or it was told of its end. */
  toldConnected: NodeId | null;
  /** Whether the replica was told, since the last open link, that nobody listens there. */
  toldRefused: boolean;
}

/** All links with a peer that are not ended. */
export function linksOf(peer: PeerState): readonly PeerLink[] {
  return [...peer.dialer.links, peer.accepted, peer.predecessor].filter((link) => link !== null);
}

export class PeerDirectory {
  readonly #services: LinkServices & { random(): number };
  readonly #handlers: DialerHandlers;
  readonly #byName = new Map<string, PeerState>();
  /** By the disk that the table names, and by the one that answered. */
  readonly #byId = new Map<NodeId, PeerState>();

  constructor(services: LinkServices & { random(): number }, handlers: DialerHandlers) {
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

  /** All links with peers. */
  links(): readonly PeerLink[] {
    return this.all().flatMap(linksOf);
  }

  /**
   * These are the peers from now on: dials those that are new, and takes out those that are none any more, for the caller
   * to end.
   */
  follow(targets: readonly LinkTarget[], gate: PeerGate): readonly PeerState[] {
    for (const target of targets) {
      this.#take(target, gate);
    }
    const names = new Set(targets.map(({ name }) => name));
    const dropped = this.all().filter(({ name }) => !names.has(name));
    for (const peer of dropped) {
      this.#byName.delete(peer.name);
      for (const [id, state] of this.#byId) {
        if (state === peer) this.#byId.delete(id);
      }
    }
    return dropped;
  }

  /** This disk answered under the peer's name. */
  answers(peer: PeerState, id: NodeId): void {
    for (const [known, state] of this.#byId) {
      if (state === peer && known !== peer.id) this.#byId.delete(known);
    }
    this.#byId.set(id, peer);
  }

  #take(target: LinkTarget, gate: PeerGate): void {
    const known = this.#byName.get(target.name);
    const peer = known ?? this.#make(target, gate);
    peer.dialer.isStranger = target.isStranger;
    peer.dialer.addresses.setKnown(target.addresses);
    if (peer.id !== target.id) {
      if (peer.id !== null && this.#byId.get(peer.id) === peer) this.#byId.delete(peer.id);
      peer.id = target.id;
    }
    if (peer.id !== null) this.#byId.set(peer.id, peer);
    if (known === undefined) peer.dialer.start();
  }

  #make({ name, addresses }: LinkTarget, gate: PeerGate): PeerState {
    const dialer = new PeerDialer({ name, addresses, gate }, this.#services, this.#handlers);
    const noLinks = { accepted: null, predecessor: null };
    const toldNothing = { toldConnected: null, toldRefused: false };
    const peer: PeerState = { name, id: null, dialer, ...noLinks, ...toldNothing };
    this.#byName.set(name, peer);
    return peer;
  }
}
