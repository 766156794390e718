/**
 * What becomes of a link by what its peer says: a member's link, one that is kept for a node that asks to join, or none.
 * Looked at with every hello, and again whenever the members change.
 */
import type { NodeId } from "@ferrite/raft";
import type { JoinRequest } from "../members/membership-ports.ts";
import { judgeHello } from "./hello-check.ts";
import type { HelloVerdict } from "./hello-check.ts";
import { claimsMembership } from "./hello.ts";
import type { Hello } from "./hello.ts";
import type { PeerLink } from "./link.ts";
import type { PeerDirectory, PeerState } from "./peer-directory.ts";
import type { LinkOwner } from "./peer-links.ts";
import type { Refusal } from "./refusal.ts";

export interface AdmissionEffects {
  /** An accepted link does not count as a stranger's any more. */
  acceptedOpened(): void;
  /** A refusal is to be told, before the peer is. */
  refused(link: PeerLink, peer: string, refusal: Refusal): void;
  /** A peer may be one that can be sent to by now, or not any more. */
  standingChanged(peer: PeerState): void;
  /** What a peer says of the others is news: whom to have links with may have changed. */
  vouched(): void;
  /** A peer is somewhere else than the others may think. */
  moved(): void;
  joinRequested(request: JoinRequest): void;
}

export class Admission {
  readonly #owner: LinkOwner;
  readonly #peers: PeerDirectory;
  readonly #effects: AdmissionEffects;
  /** Accepted links of nodes that ask to join, by name. */
  readonly #asking = new Map<string, PeerLink>();

  constructor(owner: LinkOwner, peers: PeerDirectory, effects: AdmissionEffects) {
    this.#owner = owner;
    this.#peers = peers;
    this.#effects = effects;
  }

  /** Accepted links of nodes that are no members. */
  get asking(): readonly PeerLink[] {
    return [...this.#asking.values()];
  }

  /** What this node says on a link: one that only asks is not to send anything. */
  helloOn(link: PeerLink): Hello {
    const hello = this.#owner.currentHello();
    return link.isAsking ? { ...hello, active: false } : hello;
  }

  /** The peer has said who it is, or that something about it has changed. */
  onHello(link: PeerLink, hello: Hello): void {
    const verdict = this.#judge(link, hello);
    if (verdict.kind !== "refused") this.#owner.formation().hear(hello);
    this.#act(link, hello, verdict);
  }

  /** The members have changed: what was acceptable may not be any more, and who asked may be one. */
  review(links: readonly PeerLink[]): void {
    for (const link of links) {
      if (link.hello !== null && !link.isEnding) {
        this.#act(link, link.hello, this.#judge(link, link.hello));
      }
    }
  }

  ended(link: PeerLink): void {
    for (const [name, asking] of this.#asking) {
      if (asking === link) this.#asking.delete(name);
    }
  }

  refuse(link: PeerLink, peer: string, refusal: Refusal): void {
    this.#effects.refused(link, peer, refusal);
    // Only a member of its own cluster is believed that a disk was removed: it has to be told who says so.
    if (refusal.reason === "removed") {
      link.sayHello({ ...this.#owner.currentHello(), active: false });
    }
    link.refuse(refusal);
  }

  #judge(link: PeerLink, hello: Hello): HelloVerdict {
    const { self, options, tokenHash, table } = this.#owner;
    const formation = this.#owner.formation();
    const dialed = link.side === "dialed" ? this.#peers.ofLink(link) : undefined;
    return judgeHello(hello, {
      selfId: self.id,
      selfName: self.name,
      selfVersion: options.version,
      tokenHash,
      expectedNames: formation.expectedNames,
      clusterId: formation.genesis?.clusterId ?? null,
      table,
      dialedName: dialed?.name ?? null,
      identityProblem: (name) =>
        this.#owner.gate?.identityRefusal(link.certificates.peer, name)?.text ?? null,
      isLive: (id) => this.#isLive(id, link),
    });
  }

  #isLive(id: NodeId, besides: PeerLink): boolean {
    const isIt = (link: PeerLink): boolean =>
      link !== besides && link.isOpen && !link.isAsking && link.hello?.nodeId === id;
    return this.#peers.links().some(isIt);
  }

  #act(link: PeerLink, hello: Hello, verdict: HelloVerdict): void {
    switch (verdict.kind) {
      case "refused":
        this.refuse(link, hello.name, verdict.refusal);
        return;
      case "asking":
        this.#hearAsking(link, hello);
        return;
      case "member":
        this.#admit(link, hello);
    }
  }

  #admit(link: PeerLink, hello: Hello): void {
    const peer = this.#peers.named(hello.name);
    if (peer === undefined) {
      const text = `"${hello.name}" is not among the peers of "${this.#owner.self.name}".`;
      this.refuse(link, hello.name, { reason: "unknownMember", text });
      return;
    }
    const wasAsking = link.isAsking;
    if (wasAsking) {
      link.isAsking = false;
      this.ended(link);
    }
    if (!link.wasOpen) {
      this.#opened(link, hello, peer);
    } else if (wasAsking) {
      this.#letIn(link, hello, peer);
    }
    this.#owner.gate?.bind(link.certificates.peer, hello.name);
    this.#learn(peer, hello);
    this.#owner.formation().proceed();
    this.#effects.standingChanged(peer);
  }

  /** What the peer says of itself and of others. */
  #learn(peer: PeerState, hello: Hello): void {
    if (peer.dialer.addresses.say(hello.peerAddress)) this.#effects.moved();
    if (hello.members !== null && claimsMembership(hello)) {
      if (this.#owner.table.vouch(hello.name, hello.members)) this.#effects.vouched();
    }
  }

  #opened(link: PeerLink, hello: Hello, peer: PeerState): void {
    link.open({ from: hello.nodeId, to: this.#owner.self.id });
    if (link.side === "dialed") {
      this.#openedDialed(link, hello, peer);
    } else {
      this.#effects.acceptedOpened();
      this.#replaceAccepted(peer, link, hello);
      link.sayHello(this.helloOn(link));
      peer.dialer.addresses.say(hello.peerAddress);
      peer.dialer.dialNow();
    }
    this.#logOpen(link, hello, "A peer link is open");
  }

  #openedDialed(link: PeerLink, hello: Hello, peer: PeerState): void {
    this.#owner.services.counters.linksOpened++;
    peer.dialer.opened(link);
    peer.toldRefused = false;
    this.#peers.answers(peer, hello.nodeId);
  }

  /** A node that asked has become a member: its link is one like any other from now on. */
  #letIn(link: PeerLink, hello: Hello, peer: PeerState): void {
    if (link.side === "accepted") {
      this.#replaceAccepted(peer, link, hello);
      peer.dialer.dialNow();
    }
    link.sayHello(this.helloOn(link));
    this.#logOpen(link, hello, "A node that asked to join is a member now");
  }

  /** The newest wins. The peer would not dial again if it still had the old one, unless it is just changing over. */
  #replaceAccepted(peer: PeerState, link: PeerLink, hello: Hello): void {
    const before = peer.accepted;
    if (before === link) return;
    peer.accepted = link;
    peer.predecessor?.destroy(new Error("replaced by a newer link"));
    peer.predecessor = null;
    if (before === null) return;
    before.isSuperseded = true;
    if (hello.successor && before.hello?.nodeId === hello.nodeId) {
      peer.predecessor = before;
    } else {
      before.destroy(new Error("replaced by a newer link"));
    }
  }

  /** A node that wants to be a member: it is heard, and the link stays open for the answer. */
  #hearAsking(link: PeerLink, hello: Hello): void {
    const { askingNodesMax } = this.#owner.services.limits;
    const before = this.#asking.get(hello.name);
    if (link.side === "accepted" && before === undefined && this.#asking.size >= askingNodesMax) {
      const text = `${askingNodesMax} nodes ask to join already: try again when they have.`;
      this.refuse(link, hello.name, { reason: "tooManyAsking", text });
      return;
    }
    const isNew = !link.isAsking;
    link.isAsking = true;
    if (link.side === "accepted" && before !== link) {
      before?.destroy(new Error("replaced by a newer link"));
      this.#asking.set(hello.name, link);
    }
    if (isNew) this.#keepForAsking(link, hello);
    this.#effects.joinRequested(requestOf(hello));
  }

  #keepForAsking(link: PeerLink, hello: Hello): void {
    const peer = this.#peers.named(hello.name);
    if (peer?.accepted === link) peer.accepted = null;
    if (peer?.predecessor === link) peer.predecessor = null;
    if (!link.wasOpen) {
      link.open({ from: hello.nodeId, to: this.#owner.self.id });
      if (link.side === "accepted") {
        this.#effects.acceptedOpened();
      } else if (peer !== undefined) {
        this.#openedDialed(link, hello, peer);
      }
    }
    link.sayHello(this.helloOn(link));
    if (peer !== undefined) this.#effects.standingChanged(peer);
    this.#logOpen(link, hello, "A node asks to join");
  }

  #logOpen(link: PeerLink, hello: Hello, message: string): void {
    const { name, nodeId } = hello;
    const fields = { peer: name, nodeId, remote: link.remote, side: link.side };
    this.#owner.ports.logger.info(fields, message);
  }
}

function requestOf(hello: Hello): JoinRequest {
  const { nodeId: id, name, peerAddress, clientAddress, tlsAddress } = hello;
  const { featureLevel, version } = hello;
  return { id, name, peerAddress, clientAddress, tlsAddress, featureLevel, version };
}
