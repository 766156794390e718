/**
 * All links of a node: opens, replaces and ends them as the members, certificates and hellos (admission.ts) say, and tells
 * the replica whom it can send to.
 */
import type { AddressInfo } from "node:net";
import type { NodeId } from "@ferrite/raft";
import type { CredentialChange, LoadedCredentials } from "../certificates/live-credentials.ts";
import type { HostPort } from "../config/host-port.ts";
import type { PeerPayload, TransportEvents } from "../replica/transport.ts";
import type { JoinRequest } from "../members/membership-ports.ts";
import { PeerAcceptor } from "./acceptor.ts";
import { Admission } from "./admission.ts";
import type { AdmissionEffects } from "./admission.ts";
import type { ConnectionRefusal, PeerRefusal } from "./connection-refusal.ts";
import type { DialFailure } from "./dial-attempt.ts";
import { PeerError } from "./errors.ts";
import type { Formation } from "./formation.ts";
import type { Hello } from "./hello.ts";
import type { LinkHandlers, LinkServices, PeerLink } from "./link.ts";
import { LinkWatch } from "./link-watch.ts";
import { LogLimiter } from "./log-limiter.ts";
import type { MemberTable } from "./member-table.ts";
import type { NodeIdentity } from "./membership.ts";
import type { PeerNetworkOptions } from "./options.ts";
import { linksOf, PeerDirectory } from "./peer-directory.ts";
import type { PeerState } from "./peer-directory.ts";
import type { PeerGate } from "./peer-gate.ts";
import type { PeerPorts } from "./ports.ts";
import { RefusalDesk } from "./refusal-desk.ts";
import type { Refusal } from "./refusal.ts";

/** How long news of where members are is gathered before it is told. */
const MOVED_DELAY_MS = 50;

/** What the links need of the network they belong to. */
export interface LinkOwner {
  readonly options: PeerNetworkOptions;
  readonly self: NodeIdentity;
  readonly tokenHash: string;
  readonly table: MemberTable;
  readonly services: LinkServices & { random(): number };
  readonly ports: PeerPorts;
  readonly events: TransportEvents;
  /** Null without certificates: then there is nobody to talk to. */
  readonly gate: PeerGate | null;
  formation(): Formation;
  currentHello(): Hello;
  isActive(): boolean;
  isStopped(): boolean;
  joinRequested(request: JoinRequest): void;
  /** A member of this node's cluster says that this disk is none any more. */
  removed(text: string): void;
}

export class PeerLinks {
  readonly refusals: RefusalDesk;
  readonly #owner: LinkOwner;
  readonly #gate: PeerGate | null;
  readonly #complaints: LogLimiter;
  readonly #peers: PeerDirectory;
  readonly #admission: Admission;
  /** Configured names that the cluster does not know, as far as that was told. */
  readonly #toldStrangers = new Set<string>();
  #cancelHints: (() => void) | null = null;
  readonly #watch: LinkWatch | null;
  #acceptor: PeerAcceptor | null = null;
  #endListening: () => void = () => undefined;

  constructor(owner: LinkOwner) {
    this.#owner = owner;
    this.#gate = owner.gate;
    const { repeatedLogIntervalMs } = owner.services.limits;
    this.refusals = new RefusalDesk(owner.ports, repeatedLogIntervalMs);
    this.#complaints = new LogLimiter(repeatedLogIntervalMs);
    this.#peers = new PeerDirectory(owner.services, {
      ...this.#linkHandlers(),
      currentHello: () => owner.currentHello(),
      onDialFailed: (name, failure, isGone) => {
        this.#onDialFailed(name, failure, isGone);
      },
    });
    this.#admission = new Admission(owner, this.#peers, this.#admissionEffects());
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
  dialAll(): void {
    this.#follow();
    this.#watch?.look();
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

  /** This node's hello has changed, or is to be heard again: it is said on every link. */
  announceHello(): void {
    for (const link of this.#all()) {
      link.sayHello(this.#admission.helloOn(link));
    }
  }

  /** What the disk said of itself on a link that is open; null without one. */
  helloOf(id: NodeId): Hello | null {
    return this.#all().find((each) => each.isOpen && each.hello?.nodeId === id)?.hello ?? null;
  }

  /** Where the peer of this name says that it is, on a link that is open; null without one. */
  heardAddressOf(name: string): string | null {
    const peer = this.#peers.named(name);
    if (peer === undefined || !linksOf(peer).some((link) => link.isOpen && !link.isAsking)) {
      return null;
    }
    return peer.dialer.addresses.said;
  }

  /** Tells the replica of every peer that it can send to by now. */
  tellAllConnected(): void {
    for (const peer of this.#peers.all()) {
      this.#tell(peer);
    }
  }

  /** Ends all links in order and closes the port. */
  async close(): Promise<void> {
    this.#watch?.stop();
    this.#endListening();
    this.#cancelHints?.();
    const links = this.#all();
    for (const peer of this.#peers.all()) {
      peer.dialer.stop();
    }
    await this.#acceptor?.close();
    await Promise.all(links.map((link) => link.ended));
  }

  /** Ends all of them. */
  endAll(reason: Error): void {
    for (const link of this.#all()) {
      link.destroy(reason);
    }
  }

  /** Who the members are has changed: links follow, and every peer is looked at again. */
  membersChanged(): void {
    if (this.#gate === null) return;
    this.#follow();
    this.#admission.review(this.#all());
    this.#tellStrangers();
  }

  #all(): readonly PeerLink[] {
    return [...this.#peers.links(), ...this.#admission.asking];
  }

  /** Links with those whom the member table names, and with nobody else. */
  #follow(): void {
    if (this.#gate === null || this.#owner.isStopped()) return;
    for (const peer of this.#peers.follow(this.#owner.table.targets(), this.#gate)) {
      // They are told why, if they can be, before the links end.
      this.#admission.review(linksOf(peer));
      peer.dialer.stop();
      this.#gate.forget(peer.name);
      this.#tell(peer);
    }
  }

  #tellStrangers(): void {
    for (const { name, isStranger } of this.#owner.table.targets()) {
      if (isStranger === this.#toldStrangers.has(name)) continue;
      if (!isStranger) {
        this.#toldStrangers.delete(name);
        continue;
      }
      this.#toldStrangers.add(name);
      this.#owner.ports.logger.warn(
        { peer: name, clusterId: this.#owner.formation().genesis?.clusterId },
        "A configured peer is not a member of the cluster",
      );
    }
  }

  #admissionEffects(): AdmissionEffects {
    return {
      acceptedOpened: () => {
        this.#acceptor?.opened();
      },
      refused: (link, peer, refusal) => {
        this.#tellRefusal(link, peer, refusal);
      },
      standingChanged: (peer) => {
        this.#tell(peer);
      },
      vouched: () => {
        this.#follow();
      },
      moved: () => {
        this.#announceMoved();
      },
      joinRequested: (request) => {
        this.#owner.joinRequested(request);
      },
    };
  }

  /** The others are told where a member is now; once for many that moved together. */
  #announceMoved(): void {
    this.#cancelHints ??= this.#owner.services.clock.after(MOVED_DELAY_MS, () => {
      this.#cancelHints = null;
      this.announceHello();
    });
  }

  #linkHandlers(): LinkHandlers {
    return {
      onHello: (link, hello) => {
        this.#admission.onHello(link, hello);
      },
      onSilent: (link) => {
        if (link.side === "accepted") {
          const text = "The other side did not say hello in time.";
          this.#tellRefusal(link, null, { reason: "handshakeTimeout", text });
        }
      },
      onBroken: (link, refusal) => {
        this.#tellRefusal(link, link.hello?.name ?? null, refusal);
      },
      onRefusal: (link, refusal) => {
        this.#onRefusal(link, refusal);
      },
      onPayload: (link, payload, senderTimeMs) => {
        this.#onPayload(link, payload, senderTimeMs);
      },
      onEnded: (link, error) => {
        this.#onEnded(link, error);
      },
    };
  }

  /** A peer will not talk to this node. */
  #onRefusal(link: PeerLink, refusal: Refusal): void {
    const peer = link.hello?.name ?? this.#peers.ofLink(link)?.name ?? null;
    const { reason, text } = refusal;
    const fields = { peer, remote: link.remote, reason, text };
    this.#complain(`refused by ${peer ?? "?"} ${reason}`, fields, "A peer refuses this node");
    this.#owner.formation().refusedBy(peer ?? "?", refusal);
    const clusterId = this.#owner.formation().genesis?.clusterId;
    // Anybody can say so; a node whose certificate, token and cluster were found to be right is believed.
    const isOurs = link.wasOpen && clusterId !== undefined;
    if (reason === "removed" && isOurs && link.hello?.genesis?.clusterId === clusterId) {
      this.#owner.removed(`"${peer}" says: ${text}`);
    }
  }

  #onPayload(link: PeerLink, payload: PeerPayload, senderTimeMs: number): void {
    const hello = link.hello;
    const clusterId = this.#owner.formation().genesis?.clusterId;
    const isMember = hello !== null && !link.isAsking && hello.genesis?.clusterId === clusterId;
    if (!this.#owner.isActive() || !isMember) {
      this.#owner.services.counters.droppedInactive++;
      return;
    }
    this.#owner.events.onPayload(hello.nodeId, payload, senderTimeMs);
  }

  #onEnded(link: PeerLink, error: Error | null): void {
    this.#admission.ended(link);
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
      this.#tell(peer);
    }
  }

  #onDialFailed(name: string, failure: DialFailure, isGone: boolean): void {
    const peer = this.#peers.named(name);
    const fields = { peer: name, address: failure.address, error: failure.error.message };
    const { refusal, address: remote, certificate } = failure;
    if (refusal !== null) {
      this.refusals.tell(refusal, { side: "dialed", remote, peer: name, certificate });
    }
    this.#complain(`dial ${name}`, fields, "A peer can not be reached");
    if (
      peer !== undefined &&
      isGone &&
      this.#owner.isActive() &&
      !peer.toldRefused &&
      peer.id !== null
    ) {
      peer.toldRefused = true;
      this.#owner.events.onDisconnected(peer.id, { refused: true });
    }
  }

  /** Tells the replica, once each, of a peer that it can send to, or can not any more. */
  #tell(peer: PeerState): void {
    const id = this.#usable(peer)?.hello?.nodeId ?? null;
    const before = peer.toldConnected;
    if (id === before) return;
    peer.toldConnected = id;
    if (before !== null) {
      this.#owner.services.counters.linksLost++;
      this.#owner.events.onDisconnected(before, { refused: false });
    }
    if (id !== null) this.#owner.events.onConnected(id);
  }

  /** The link to send on to this disk: dialed, open, with a member that takes payload. */
  usableTo(id: NodeId): PeerLink | null {
    const peer = this.#peers.withId(id);
    const link = peer === undefined ? null : this.#usable(peer);
    return link?.hello?.nodeId === id ? link : null;
  }

  #usable(peer: PeerState): PeerLink | null {
    const { link } = peer.dialer;
    if (link === null || link.isAsking || !link.isOpen || !this.#owner.isActive()) return null;
    return link.hello?.active === true ? link : null;
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
    this.#tellRefusal(link, link.hello?.name ?? this.#peers.ofLink(link)?.name ?? null, refusal);
    const { text } = refusal;
    if (link.side === "accepted") {
      link.refuse({ reason: "wrongCertificate", text });
    } else {
      link.destroy(new Error(text));
    }
  }

  #tellRefusal(
    link: PeerLink,
    peer: string | null,
    refusal: Pick<PeerRefusal, "reason" | "text">,
  ): void {
    const { side, remote, certificates } = link;
    this.refusals.tell(refusal, { side, remote, peer, certificate: certificates.peer });
  }

  #watchOf(gate: PeerGate): LinkWatch {
    return new LinkWatch(gate, this.#owner.services, {
      peers: () => this.#peers.all(),
      links: () => new Set([...this.#all(), ...(this.#acceptor?.links ?? [])]),
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
