/**
 * The links of one node to all others, as the replica's transport.
 *
 * Each node dials every other and sends on what it dialed; it receives on what it accepted. So there is no
 * question of who keeps which of two crossing connections, a link has one writer and one reader, and either
 * direction can break and heal by itself.
 *
 *   start()     certificates are checked, the port opens, dialing begins, hellos are exchanged
 *   form()      resolves with the cluster, known from disk, formed with the others or adopted from them (bootstrap.ts)
 *   activate()  payload flows from here on
 */
import { createSecureContext } from "node:tls";
import type { SecureContext } from "node:tls";
import type { NodeId } from "@ferrite/raft";
import { formatHostPort } from "../config/host-port.ts";
import type { PeerPayload, Transport, TransportEvents } from "../replica/transport.ts";
import { PeerAcceptor } from "./acceptor.ts";
import { createPeerCounters } from "./counters.ts";
import type { PeerCounters } from "./counters.ts";
import type { DialFailure } from "./dialer.ts";
import { PeerError } from "./errors.ts";
import { Formation } from "./formation.ts";
import { GROUP_ID } from "./frame.ts";
import { clusterTokenHash } from "./genesis.ts";
import { refusalOfHello } from "./hello-check.ts";
import type { Hello } from "./hello.ts";
import type { LinkHandlers, LinkServices, PeerLink } from "./link.ts";
import { LogLimiter } from "./log-limiter.ts";
import type { Genesis, Member } from "./membership.ts";
import { checkPeerNetworkOptions, hasOtherMembers } from "./options.ts";
import type { PeerNetworkOptions } from "./options.ts";
import { certificateCovers } from "./peer-certificate.ts";
import { PeerDirectory } from "./peer-directory.ts";
import type { PeerState } from "./peer-directory.ts";
import { systemPeerClock } from "./ports.ts";
import type { PeerPorts } from "./ports.ts";
import type { Refusal } from "./refusal.ts";
import { loadPeerCredentials } from "./tls-files.ts";
import { secureContextOptions } from "./tls-settings.ts";

/** How often links are looked at for a peer that takes nothing. */
const STALL_CHECK_MS = 1000;

export class PeerNetwork implements Transport {
  readonly counters: PeerCounters = createPeerCounters();
  readonly #options: PeerNetworkOptions;
  readonly #events: TransportEvents;
  readonly #ports: PeerPorts;
  readonly #services: LinkServices & { random(): number };
  readonly #tokenHash: string;
  readonly #complaints: LogLimiter;
  readonly #formation: Formation;
  readonly #peers: PeerDirectory;
  /** Links with frames that were queued and not flushed. */
  readonly #unflushed = new Set<PeerLink>();
  #acceptor: PeerAcceptor | null = null;
  #secureContext: SecureContext | null = null;
  #announce: string;
  #active = false;
  #stopped = false;
  #flushPlanned: NodeJS.Immediate | null = null;
  #cancelStallCheck: (() => void) | null = null;

  /** @throws PeerError badOption */
  constructor(
    options: PeerNetworkOptions,
    events: TransportEvents,
    ports: Pick<PeerPorts, "logger"> & Partial<PeerPorts>,
  ) {
    checkPeerNetworkOptions(options);
    this.#options = options;
    this.#events = events;
    this.#ports = {
      logger: ports.logger,
      clock: ports.clock ?? systemPeerClock,
      random: ports.random ?? Math.random,
    };
    this.#services = {
      limits: options.limits,
      counters: this.counters,
      clock: this.#ports.clock,
      random: () => this.#ports.random(),
      logicalNowMs: () => options.logicalNowMs(),
    };
    this.#tokenHash = clusterTokenHash(options.clusterToken);
    this.#complaints = new LogLimiter(options.limits.repeatedLogIntervalMs);
    this.#announce = options.announce ?? formatHostPort(options.listen);
    this.#peers = new PeerDirectory(options, this.#services, {
      ...this.#linkHandlers("dialed"),
      currentHello: () => this.#currentHello(),
      onDialFailed: (name, failure) => {
        this.#onDialFailed(name, failure);
      },
    });
    this.#formation = new Formation(options, () => this.#self(), this.#ports, {
      announce: () => {
        this.#announceHello();
      },
      formed: (genesis) => {
        this.#adoptMembers(genesis);
      },
      forgetLinks: () => {
        this.#endLinks(
          new Error("begins anew, as a member's disk changed while the cluster was forming"),
        );
      },
    });
  }

  /**
   * Opens the peer port and begins to dial. Without other members it does nothing.
   * @throws PeerError tlsFiles, listen
   */
  async start(): Promise<void> {
    if (!hasOtherMembers(this.#options)) {
      return;
    }
    const { identity, tls, listen, genesis } = this.#options;
    if (tls === null) {
      throw new PeerError(
        "tlsFiles",
        "A node with peers needs certificates: set peer-tls-cert-file, peer-tls-key-file and " +
          "peer-tls-ca-cert-file (ferrite certs makes them).",
      );
    }
    const credentials = await loadPeerCredentials(tls, identity.name, this.#ports.clock.nowMs());
    const secure = secureContextOptions(credentials);
    this.#secureContext = createSecureContext(secure);
    this.#acceptor = new PeerAcceptor(secure, this.#services, {
      ...this.#linkHandlers("accepted"),
      onHandshakeFailed: (remote, error) => {
        this.#complain(
          "handshake",
          { remote, error: error.message },
          "A connection to the peer port was refused",
        );
      },
    });
    const address = await this.#acceptor.listen(listen.host, listen.port);
    if (this.#options.announce === null) {
      this.#announce = formatHostPort({ host: address.address, port: address.port });
    }
    this.#ports.logger.info({ address: this.#announce }, "The peer port is open");
    this.#peers.dialAll(this.#secureContext);
    if (genesis !== null) {
      this.#adoptMembers(genesis);
    }
    this.#checkStalls();
  }

  /** host:port that other nodes dial. */
  get address(): string {
    return this.#announce;
  }

  /** The cluster this node is a member of, durably; null before that. */
  get genesis(): Genesis | null {
    return this.#formation.genesis;
  }

  /** Why no cluster is formed yet, for people; null when it is. */
  get formationProblem(): string | null {
    return this.#formation.problem;
  }

  /**
   * Waits until this node belongs to a cluster and that is durable.
   * @throws what `persistGenesis` throws; PeerError stopped.
   */
  form(): Promise<Genesis> {
    return this.#formation.begin();
  }

  /**
   * Lets payload through in both directions, and tells the peers so.
   * @throws PeerError outOfOrder before the cluster is formed.
   */
  activate(): void {
    if (this.#formation.genesis === null) {
      throw new PeerError("outOfOrder", "A node can not be active before its cluster is formed.");
    }
    this.#active = true;
    this.#announceHello();
    for (const peer of this.#peers.all()) {
      this.#tellConnected(peer);
    }
  }

  send(to: NodeId, payload: PeerPayload): boolean {
    const link = this.#usableLink(this.#peers.withId(to));
    if (link === null) {
      this.counters.droppedNoLink++;
      return false;
    }
    if (!link.send(payload)) {
      return false;
    }
    this.#unflushed.add(link);
    // The replica flushes at the end of its round. This is for whoever sends outside of one.
    this.#flushPlanned ??= setImmediate(this.#plannedFlush);
    return true;
  }

  connected(peer: NodeId): boolean {
    return this.#usableLink(this.#peers.withId(peer)) !== null;
  }

  /** Hands everything sent since the last flush to the sockets, in one write per peer. */
  flush(): void {
    if (this.#flushPlanned !== null) {
      clearImmediate(this.#flushPlanned);
      this.#flushPlanned = null;
    }
    for (const link of this.#unflushed) {
      link.flush();
    }
    this.#unflushed.clear();
  }

  /** Bytes that wait for a peer. */
  queuedBytes(peer: NodeId): number {
    return this.#usableLink(this.#peers.withId(peer))?.queuedBytes ?? 0;
  }

  /** Sends what is queued, ends all links and closes the port. */
  async stop(): Promise<void> {
    if (this.#stopped) {
      return;
    }
    this.#stopped = true;
    this.flush();
    this.#active = false;
    this.#cancelStallCheck?.();
    this.#formation.stop();
    const links = this.#peers.links();
    for (const peer of this.#peers.all()) {
      peer.dialer.stop();
    }
    await this.#acceptor?.close();
    await Promise.all(links.map((link) => link.ended));
  }

  readonly #plannedFlush = (): void => {
    this.#flushPlanned = null;
    this.flush();
  };

  #self(): Member {
    const { identity, clientAnnounce } = this.#options;
    return {
      id: identity.id,
      name: identity.name,
      peerAddress: this.#announce,
      clientAddress: clientAnnounce,
    };
  }

  #currentHello(): Hello {
    const self = this.#self();
    return {
      groupId: GROUP_ID,
      nodeId: self.id,
      name: self.name,
      tokenHash: this.#tokenHash,
      peerAddress: self.peerAddress,
      clientAddress: self.clientAddress,
      expected: this.#formation.expectedNames,
      promise: this.#formation.promise,
      genesis: this.#formation.genesis,
      active: this.#active,
    };
  }

  #announceHello(): void {
    const hello = this.#currentHello();
    for (const link of this.#peers.links()) {
      link.sayHello(hello);
    }
  }

  #endLinks(reason: Error): void {
    for (const link of this.#peers.links()) {
      link.destroy(reason);
    }
  }

  #adoptMembers(genesis: Genesis): void {
    if (this.#secureContext === null) {
      return;
    }
    for (const name of this.#peers.adoptMembers(genesis, this.#secureContext)) {
      this.#ports.logger.warn(
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

  #linkHandlers(side: "dialed" | "accepted"): LinkHandlers {
    return {
      onHello: (link, hello) => {
        this.#onHello(link, hello, side);
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

  #onHello(link: PeerLink, hello: Hello, side: "dialed" | "accepted"): void {
    const dialedName = side === "dialed" ? (this.#peers.ofLink(link)?.name ?? null) : null;
    const refusal = this.#refusalOf(link, hello, dialedName);
    this.#formation.hear(hello, refusal);
    if (refusal !== null) {
      this.#refuse(link, hello.name, refusal);
      return;
    }
    const peer = this.#peers.named(hello.name);
    if (peer === undefined) {
      this.#refuse(link, hello.name, {
        reason: "unknownMember",
        text: `"${hello.name}" is not among the peers of "${this.#options.identity.name}".`,
      });
      return;
    }
    if (!link.wasOpen) {
      this.#opened(link, hello, peer, side);
    }
    this.#peers.learnAddress(peer, hello);
    this.#formation.proceed();
    this.#tellConnected(peer);
  }

  #opened(link: PeerLink, hello: Hello, peer: PeerState, side: "dialed" | "accepted"): void {
    link.open({ from: hello.nodeId, to: this.#options.identity.id });
    if (side === "dialed") {
      this.counters.linksOpened++;
      peer.dialer.opened();
      peer.toldRefused = false;
    } else {
      this.#acceptor?.opened();
      // The newest wins: the peer would not dial again if it still had the old one.
      peer.accepted?.destroy(new Error("replaced by a newer link"));
      peer.accepted = link;
      link.sayHello(this.#currentHello());
      peer.dialer.dialNow();
    }
    this.#ports.logger.info({ peer: peer.name, remote: link.remote, side }, "A peer link is open");
  }

  #refusalOf(link: PeerLink, hello: Hello, dialedName: string | null): Refusal | null {
    return refusalOfHello(hello, {
      selfId: this.#options.identity.id,
      selfName: this.#options.identity.name,
      tokenHash: this.#tokenHash,
      expectedNames: this.#formation.expectedNames,
      genesis: this.#formation.genesis,
      dialedName,
      certificateCovers: (name) => certificateCovers(link.certificate, name),
    });
  }

  #refuse(link: PeerLink, peer: string, refusal: Refusal): void {
    const fields = { peer, remote: link.remote, reason: refusal.reason, text: refusal.text };
    this.#complain(`refuse ${refusal.reason}`, fields, "A peer was refused");
    link.refuse(refusal);
  }

  #onPayload(link: PeerLink, payload: PeerPayload, senderTimeMs: number): void {
    const hello = link.hello;
    const clusterId = this.#formation.genesis?.clusterId;
    if (!this.#active || hello === null || hello.genesis?.clusterId !== clusterId) {
      this.counters.droppedInactive++;
      return;
    }
    this.#events.onPayload(hello.nodeId, payload, senderTimeMs);
  }

  #onEnded(link: PeerLink, error: Error | null): void {
    this.#unflushed.delete(link);
    const name = link.hello?.name ?? null;
    const peer = name === null ? undefined : this.#peers.named(name);
    if (peer !== undefined && peer.accepted === link) {
      peer.accepted = null;
    }
    if (this.#stopped) {
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
    if (peer.toldConnected && peer.id !== null && this.#usableLink(peer) === null) {
      peer.toldConnected = false;
      this.counters.linksLost++;
      this.#events.onDisconnected(peer.id, { refused: false });
    }
  }

  #onDialFailed(name: string, failure: DialFailure): void {
    const peer = this.#peers.named(name);
    const fields = { peer: name, address: failure.address, error: failure.error.message };
    this.#complain(`dial ${name}`, fields, "A peer can not be reached");
    if (
      peer !== undefined &&
      failure.refused &&
      this.#active &&
      !peer.toldRefused &&
      peer.id !== null
    ) {
      peer.toldRefused = true;
      this.#events.onDisconnected(peer.id, { refused: true });
    }
  }

  /** Tells the replica of a peer that can be sent to, once. */
  #tellConnected(peer: PeerState): void {
    if (!peer.toldConnected && peer.id !== null && this.#usableLink(peer) !== null) {
      peer.toldConnected = true;
      this.#events.onConnected(peer.id);
    }
  }

  /** The link to send on: dialed, open, and with a peer that takes payload. */
  #usableLink(peer: PeerState | undefined): PeerLink | null {
    if (!this.#active || peer === undefined) {
      return null;
    }
    const link = peer.dialer.link;
    return link !== null && link.isOpen && link.hello?.active === true ? link : null;
  }

  #checkStalls(): void {
    this.#cancelStallCheck = this.#ports.clock.after(STALL_CHECK_MS, () => {
      const nowMs = this.#ports.clock.nowMs();
      for (const peer of this.#peers.all()) {
        peer.dialer.link?.endIfStalled(nowMs);
      }
      this.#checkStalls();
    });
  }

  #complain(key: string, fields: Record<string, unknown>, message: string): void {
    const passed = this.#complaints.pass(key, this.#ports.clock.nowMs());
    if (passed !== null) {
      const more = passed.suppressed > 0 ? { suppressed: passed.suppressed } : {};
      this.#ports.logger.warn({ ...fields, ...more }, message);
    }
  }
}
