/**
 * All links of a node: takes their hellos, decides who is let in, replaces and ends them, and tells the replica whom it
 * can send to.
 */
import type { AddressInfo } from "node:net";
import type { NodeId } from "@ferrite/raft";
import type { CredentialChange, LoadedCredentials } from "../certificates/live-credentials.ts";
import type { HostPort } from "../config/host-port.ts";
import type { PeerPayload, TransportEvents } from "../replica/transport.ts";
import { PeerAcceptor } from "./acceptor.ts";
import type { ConnectionRefusal, PeerRefusal } from "./connection-refusal.ts";
import type { DialFailure } from "./dial-attempt.ts";
import { PeerError } from "./errors.ts";
import type { Formation } from "./formation.ts";
import { refusalOfHello } from "./hello-check.ts";
import type { Hello } from "./hello.ts";
import type { LinkHandlers, LinkServices, PeerLink } from "./link.ts";
import { LinkWatch } from "./link-watch.ts";
import { LogLimiter } from "./log-limiter.ts";
import type { Genesis, NodeIdentity } from "./membership.ts";
import type { PeerNetworkOptions } from "./options.ts";
import { linksOf, PeerDirectory } from "./peer-directory.ts";
import type { PeerState } from "./peer-directory.ts";
import type { PeerGate } from "./peer-gate.ts";
import type { PeerPorts } from "./ports.ts";
import { RefusalDesk } from "./refusal-desk.ts";
import type { Refusal } from "./refusal.ts";

/** What the links need of the network they belong to. */
export interface LinkOwner {
  readonly options: PeerNetworkOptions;
  readonly self: NodeIdentity;
  readonly tokenHash: string;
  readonly services: LinkServices & { random(): number };
  readonly ports: PeerPorts;
  readonly events: TransportEvents;
  /** Null without certificates: then there is nobody to talk to. */
  readonly gate: PeerGate | null;
  formation(): Formation;
  currentHello(): Hello;
  isActive(): boolean;
  isStopped(): boolean;
}

export class PeerLinks {
  readonly refusals: RefusalDesk;
  readonly #owner: LinkOwner;
  readonly #gate: PeerGate | null;
  readonly #complaints: LogLimiter;
  readonly #peers: PeerDirectory;
  readonly #watch: LinkWatch | null;
  #acceptor: PeerAcceptor | null = null;
  #endListening: () => void = () => undefined;

  constructor(owner: LinkOwner) {
    this.#owner = owner;
    this.#gate = owner.gate;
    const { repeatedLogIntervalMs } = owner.services.limits;
    this.refusals = new RefusalDesk(owner.ports, repeatedLogIntervalMs);
    this.#complaints = new LogLimiter(repeatedLogIntervalMs);
    this.#peers = new PeerDirectory(owner.options, owner.services, {
      ...this.#linkHandlers(),
      currentHello: () => owner.currentHello(),
      onDialFailed: (name, failure) => {
        this.#onDialFailed(name, failure);
      },
    });
    this.#watch = owner.gate === null ? null : this.#watchOf(owner.gate);
  }

  /**
   * Opens the port, and keeps to the certificates from here on. Gives the address that it really has.
   * @throws PeerError listen
   */
  async listen(gate: PeerGate, address: HostPort): Promise<AddressInfo> {
    this.#acceptor = new PeerAcceptor(gate, this.#owner.services, {
      ...this.#linkHandlers(),
      onHandshakeFailed: (remote, error) => {
        const fields = { remote, error: error.message };
        this.#complain("handshake", fields, "A connection to the peer port came to nothing");
      },
      onConnectionRefused: (remote, refusal, certificate) => {
        this.refusals.tell(refusal, { side: "accepted", remote, peer: null, certificate });
      },
    });
    const opened = await this.#acceptor.listen(address.host, address.port);
    this.#endListening = gate.onChange((now, change) => {
      this.#certificatesChanged(now, change);
    });
    return opened;
  }

  /** Begins to dial those who are to be dialed. */
  dialAll(gate: PeerGate): void {
    this.#peers.dialAll(gate);
    this.#watch?.look();
  }

  withId(id: NodeId): PeerState | undefined {
    return this.#peers.withId(id);
  }

  /** The policy has changed: links that it does not allow any more are ended. */
  review(): void {
    this.#watch?.review();
    this.#watch?.look();
  }

  /**
   * When the certificate of each peer ends, as it was seen on the links that are open: of different ones the one that ends
   * first. Unix ms.
   */
  certificateExpiries(): readonly { readonly peer: string; readonly validUntilMs: number }[] {
    return this.#peers.all().flatMap((peer) => {
      const ends = linksOf(peer)
        .filter((link) => link.isOpen)
        .map((link) => link.certificates.peerValidUntilMs);
      return ends.length === 0 ? [] : [{ peer: peer.name, validUntilMs: Math.min(...ends) }];
    });
  }

  /** This node's hello has changed: it is said again on every link. */
  announceHello(): void {
    const hello = this.#owner.currentHello();
    for (const link of this.#peers.links()) {
      link.sayHello(hello);
    }
  }

  /** Tells the replica of every peer that it can send to by now. */
  tellAllConnected(): void {
    for (const peer of this.#peers.all()) {
      this.#tellConnected(peer);
    }
  }

  /** Ends all links in order and closes the port. */
  async close(): Promise<void> {
    this.#watch?.stop();
    this.#endListening();
    const links = this.#peers.links();
    for (const peer of this.#peers.all()) {
      peer.dialer.stop();
    }
    await this.#acceptor?.close();
    await Promise.all(links.map((link) => link.ended));
  }

  /** Ends all of them. */
  endAll(reason: Error): void {
    for (const link of this.#peers.links()) {
      link.destroy(reason);
    }
  }

  /** The cluster is known: from here on only its members are talked to. */
  adoptMembers(genesis: Genesis): void {
    if (this.#gate === null) {
      return;
    }
    for (const name of this.#peers.adoptMembers(genesis, this.#gate)) {
      this.#gate.forget(name);
      this.#owner.ports.logger.warn(
        { peer: name, clusterId: genesis.clusterId },
        "A configured peer is not a member of the cluster and is ignored",
      );
    }
    for (const link of this.#peers.links()) {
      this.#recheck(link);
    }
  }

  /** What was acceptable while forming may not be any more. */
  #recheck(link: PeerLink): void {
    if (link.hello !== null) {
      const refusal = this.#refusalOf(link, link.hello, null);
      if (refusal !== null) {
        this.#refuse(link, link.hello.name, refusal);
      }
    }
  }

  #linkHandlers(): LinkHandlers {
    return {
      onHello: (link, hello) => {
        this.#onHello(link, hello);
      },
      onSilent: (link) => {
        if (link.side === "accepted") {
          const text = "The other side did not say hello in time.";
          this.#tell(link, null, { reason: "handshakeTimeout", text });
        }
      },
      onBroken: (link, refusal) => {
        this.#tell(link, link.hello?.name ?? null, refusal);
      },
      onRefusal: (link, refusal) => {
        const peer = link.hello?.name ?? this.#peers.ofLink(link)?.name ?? null;
        const fields = { peer, remote: link.remote, reason: refusal.reason, text: refusal.text };
        this.#complain(
          `refused by ${peer ?? "?"} ${refusal.reason}`,
          fields,
          "A peer refuses this node",
        );
      },
      onPayload: (link, payload, senderTimeMs) => {
        this.#onPayload(link, payload, senderTimeMs);
      },
      onEnded: (link, error) => {
        this.#onEnded(link, error);
      },
    };
  }

  #onHello(link: PeerLink, hello: Hello): void {
    const dialedName = link.side === "dialed" ? (this.#peers.ofLink(link)?.name ?? null) : null;
    const refusal = this.#refusalOf(link, hello, dialedName);
    this.#owner.formation().hear(hello, refusal);
    if (refusal !== null) {
      this.#refuse(link, hello.name, refusal);
      return;
    }
    const peer = this.#peers.named(hello.name);
    if (peer === undefined) {
      this.#refuse(link, hello.name, {
        reason: "unknownMember",
        text: `"${hello.name}" is not among the peers of "${this.#owner.self.name}".`,
      });
      return;
    }
    if (!link.wasOpen) {
      this.#opened(link, hello, peer);
    }
    this.#peers.learnAddress(peer, hello);
    this.#owner.formation().proceed();
    this.#tellConnected(peer);
  }

  #opened(link: PeerLink, hello: Hello, peer: PeerState): void {
    link.open({ from: hello.nodeId, to: this.#owner.self.id });
    this.#gate?.bind(link.certificates.peer, hello.name);
    if (link.side === "dialed") {
      this.#owner.services.counters.linksOpened++;
      peer.dialer.opened(link);
      peer.toldRefused = false;
    } else {
      this.#acceptor?.opened();
      this.#replaceAccepted(peer, link, hello);
      link.sayHello(this.#owner.currentHello());
      peer.dialer.dialNow();
    }
    this.#owner.ports.logger.info(
      { peer: peer.name, remote: link.remote, side: link.side },
      "A peer link is open",
    );
  }

  /** The newest wins. The peer would not dial again if it still had the old one, unless it is just changing over. */
  #replaceAccepted(peer: PeerState, link: PeerLink, hello: Hello): void {
    const before = peer.accepted;
    peer.accepted = link;
    peer.predecessor?.destroy(new Error("replaced by a newer link"));
    peer.predecessor = null;
    if (before === null) return;
    before.isSuperseded = true;
    if (hello.successor) {
      peer.predecessor = before;
    } else {
      before.destroy(new Error("replaced by a newer link"));
    }
  }

  #refusalOf(link: PeerLink, hello: Hello, dialedName: string | null): Refusal | null {
    return refusalOfHello(hello, {
      selfId: this.#owner.self.id,
      selfName: this.#owner.self.name,
      tokenHash: this.#owner.tokenHash,
      expectedNames: this.#owner.formation().expectedNames,
      genesis: this.#owner.formation().genesis,
      dialedName,
      identityProblem: (name) =>
        this.#gate?.identityRefusal(link.certificates.peer, name)?.text ?? null,
    });
  }

  #refuse(link: PeerLink, peer: string, refusal: Refusal): void {
    this.#tell(link, peer, refusal);
    link.refuse(refusal);
  }

  #onPayload(link: PeerLink, payload: PeerPayload, senderTimeMs: number): void {
    const hello = link.hello;
    const clusterId = this.#owner.formation().genesis?.clusterId;
    if (!this.#owner.isActive() || hello === null || hello.genesis?.clusterId !== clusterId) {
      this.#owner.services.counters.droppedInactive++;
      return;
    }
    this.#owner.events.onPayload(hello.nodeId, payload, senderTimeMs);
  }

  #onEnded(link: PeerLink, error: Error | null): void {
    const name = link.hello?.name ?? null;
    const peer = name === null ? undefined : this.#peers.named(name);
    if (peer !== undefined) {
      if (peer.accepted === link) peer.accepted = null;
      if (peer.predecessor === link) peer.predecessor = null;
    }
    if (this.#owner.isStopped()) {
      return;
    }
    if (link.isSuperseded && error === null) {
      const fields = { peer: name, remote: link.remote };
      this.#owner.ports.logger.debug(
        fields,
        "A peer link was replaced by one with newer certificates",
      );
      return;
    }
    const fields = { peer: name, remote: link.remote, error: error?.message ?? null };
    if (error instanceof PeerError && error.code !== "outOfOrder") {
      this.#complain(
        `broken ${name ?? "?"} ${error.code}`,
        fields,
        "A peer broke the rules of the link",
      );
    } else {
      this.#complain(`ended ${name ?? "?"}`, fields, "A peer link ended");
    }
    if (peer !== undefined) {
      this.#tellDisconnected(peer);
    }
  }

  /** Tells the replica of a peer that can not be sent to any more, once. */
  #tellDisconnected(peer: PeerState): void {
    if (peer.toldConnected && peer.id !== null && this.usable(peer) === null) {
      peer.toldConnected = false;
      this.#owner.services.counters.linksLost++;
      this.#owner.events.onDisconnected(peer.id, { refused: false });
    }
  }

  #onDialFailed(name: string, failure: DialFailure): void {
    const peer = this.#peers.named(name);
    const fields = { peer: name, address: failure.address, error: failure.error.message };
    const { refusal, address: remote, certificate } = failure;
    if (refusal !== null) {
      this.refusals.tell(refusal, { side: "dialed", remote, peer: name, certificate });
    }
    this.#complain(`dial ${name}`, fields, "A peer can not be reached");
    if (
      peer !== undefined &&
      failure.refused &&
      this.#owner.isActive() &&
      !peer.toldRefused &&
      peer.id !== null
    ) {
      peer.toldRefused = true;
      this.#owner.events.onDisconnected(peer.id, { refused: true });
    }
  }

  /** Tells the replica of a peer that can be sent to, once. */
  #tellConnected(peer: PeerState): void {
    if (!peer.toldConnected && peer.id !== null && this.usable(peer) !== null) {
      peer.toldConnected = true;
      this.#owner.events.onConnected(peer.id);
    }
  }

  /** The link to send on: dialed, open, and with a peer that takes payload. */
  usable(peer: PeerState | undefined): PeerLink | null {
    if (!this.#owner.isActive() || peer === undefined) {
      return null;
    }
    const link = peer.dialer.link;
    return link !== null && link.isOpen && link.hello?.active === true ? link : null;
  }

  /** New connections are made with the new certificates; what is open is looked at again where that can matter. */
  #certificatesChanged(now: LoadedCredentials, change: CredentialChange): void {
    this.#acceptor?.renewCertificate();
    this.#owner.ports.logger.info(
      { generation: now.generation, ...change },
      "The certificates for peers have changed",
    );
    if (change.identity) this.announceHello();
    if (change.trust || change.revocations) this.#watch?.review();
    this.#watch?.look();
  }

  /** A certificate is not good any more: nothing is taken from the peer and nothing sent to it from here on. */
  #endLink(link: PeerLink, refusal: ConnectionRefusal): void {
    if (link.side === "accepted" && link.isEnding) return;
    this.#tell(link, link.hello?.name ?? this.#peers.ofLink(link)?.name ?? null, refusal);
    const { text } = refusal;
    if (link.side === "accepted") {
      link.refuse({ reason: "wrongCertificate", text });
    } else {
      link.destroy(new Error(text));
    }
  }

  #tell(link: PeerLink, peer: string | null, refusal: Pick<PeerRefusal, "reason" | "text">): void {
    const { side, remote, certificates } = link;
    this.refusals.tell(refusal, { side, remote, peer, certificate: certificates.peer });
  }

  #watchOf(gate: PeerGate): LinkWatch {
    return new LinkWatch(gate, this.#owner.services, {
      peers: () => this.#peers.all(),
      links: () => new Set([...this.#peers.links(), ...(this.#acceptor?.links ?? [])]),
      end: (link, refusal) => {
        this.#endLink(link, refusal);
      },
    });
  }

  #complain(key: string, fields: Record<string, unknown>, message: string): void {
    const passed = this.#complaints.pass(key, this.#owner.ports.clock.nowMs());
    if (passed !== null) {
      const more = passed.suppressed > 0 ? { suppressed: passed.suppressed } : {};
      this.#owner.ports.logger.warn({ ...fields, ...more }, message);
    }
  }
}
