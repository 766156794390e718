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
 *   setMembers() whom the links are for, from the replicated state; said again whenever it changes
 */
import type { NodeId } from "@ferrite/raft";
import { formatHostPort } from "../config/host-port.ts";
import type { JoinRequest, LinkedMembers, MemberLinks } from "../members/membership-ports.ts";
import type { PeerPayload, Transport, TransportEvents } from "../replica/transport.ts";
import type { PeerRefusalReason } from "./connection-refusal.ts";
import { createPeerCounters } from "./counters.ts";
import type { PeerCounters } from "./counters.ts";
import { PeerError } from "./errors.ts";
import { Formation } from "./formation.ts";
import { GROUP_ID } from "./frame.ts";
import { clusterTokenHash } from "./genesis.ts";
import type { Hello, HintedMember } from "./hello.ts";
import type { LinkServices, PeerLink } from "./link.ts";
import { MemberTable } from "./member-table.ts";
import type { Genesis, Member } from "./membership.ts";
import { checkPeerNetworkOptions, needsOthers } from "./options.ts";
import type { PeerNetworkOptions } from "./options.ts";
import { PeerGate } from "./peer-gate.ts";
import { PeerLinks } from "./peer-links.ts";
import { systemPeerClock } from "./ports.ts";
import type { PeerPorts } from "./ports.ts";

export class PeerNetwork implements Transport, MemberLinks {
  readonly counters: PeerCounters = createPeerCounters();
  readonly #options: PeerNetworkOptions;
  readonly #ports: PeerPorts;
  readonly #services: LinkServices & { random(): number };
  readonly #tokenHash: string;
  readonly #formation: Formation;
  readonly #table: MemberTable;
  readonly #joinListeners: ((request: JoinRequest) => void)[] = [];
  readonly #removedListeners: ((text: string) => void)[] = [];
  /** What a member said of this disk's removal; null: it is none. */
  #removedText: string | null = null;
  #cancelAsking: () => void = () => undefined;
  /** Links with frames that were queued and not flushed. */
  readonly #unflushed = new Set<PeerLink>();
  readonly #gate: PeerGate | null;
  readonly #links: PeerLinks;
  #announce: string;
  #active = false;
  #stopped = false;
  #flushPlanned: NodeJS.Immediate | null = null;

  /** @throws PeerError badOption */
  constructor(
    options: PeerNetworkOptions,
    events: TransportEvents,
    ports: Pick<PeerPorts, "logger"> & Partial<PeerPorts>,
  ) {
    checkPeerNetworkOptions(options);
    this.#options = options;
    this.#ports = {
      logger: ports.logger,
      onRefused: ports.onRefused ?? (() => undefined),
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
    this.#table = new MemberTable(options.identity.name, options.peers);
    if (options.genesis !== null) this.#table.begin(options.genesis);
    this.#announce = options.announce ?? formatHostPort(options.listen);
    const { credentials, identity } = options;
    const gateOptions = { selfName: identity.name, policy: () => options.policy() };
    this.#gate =
      credentials === null ? null : new PeerGate(credentials, gateOptions, this.#ports.clock);
    this.#links = new PeerLinks({
      options,
      self: identity,
      tokenHash: this.#tokenHash,
      table: this.#table,
      services: this.#services,
      ports: this.#ports,
      events,
      gate: this.#gate,
      formation: () => this.#formation,
      currentHello: () => this.#currentHello(),
      isActive: () => this.#active,
      isStopped: () => this.#stopped,
      joinRequested: (request) => {
        for (const listener of this.#joinListeners) listener(request);
      },
      removed: (text) => {
        this.#wasRemoved(text);
      },
    });
    this.#formation = new Formation(options, () => this.#self(), this.#ports, {
      announce: () => {
        this.#links.announceHello();
      },
      formed: (genesis) => {
        this.#table.begin(genesis);
        this.#links.membersChanged();
      },
      forgetLinks: () => {
        this.#links.endAll(
          new Error("begins anew, as a member's disk changed while the cluster was forming"),
        );
      },
    });
  }

  /**
   * Opens the peer port and begins to dial. A cluster of one without certificates has no port.
   * @throws PeerError tlsFiles, listen
   */
  async start(): Promise<void> {
    const { listen } = this.#options;
    const gate = this.#gate;
    if (gate === null) {
      if (!needsOthers(this.#options)) return;
      throw new PeerError(
        "tlsFiles",
        "A node with peers needs certificates: set peer-tls-cert-file, peer-tls-key-file and " +
          "peer-tls-ca-cert-file (ferrite certs makes them).",
      );
    }
    const address = await this.#links.listen(gate, listen);
    if (this.#options.announce === null) {
      this.#announce = formatHostPort({ host: address.address, port: address.port });
    }
    this.#ports.logger.info(
      {
        address: this.#announce,
        listening: formatHostPort({ host: address.address, port: address.port }),
      },
      "The peer port is open",
    );
    this.#links.dialAll();
    this.#links.membersChanged();
    this.#askAgain();
  }

  setMembers(linked: LinkedMembers): void {
    this.#table.set(linked);
    if (this.#stopped) return;
    this.#links.membersChanged();
    this.#links.announceHello();
  }

  onJoinRequest(listener: (request: JoinRequest) => void): void {
    this.#joinListeners.push(listener);
  }

  onRemoved(listener: (text: string) => void): void {
    this.#removedListeners.push(listener);
    if (this.#removedText !== null) listener(this.#removedText);
  }

  featureLevelOf(id: NodeId): number | null {
    if (id === this.#options.identity.id) return this.#options.featureLevel;
    return this.#links.helloOf(id)?.featureLevel ?? null;
  }

  /** Whether the node said, on a link that is open, that it lends snapshots and takes lent ones. */
  lendsSnapshots(id: NodeId): boolean {
    return this.#links.helloOf(id)?.lendsSnapshots ?? false;
  }

  /** Refusals by reason, since the start. */
  get refusals(): Readonly<Record<PeerRefusalReason, number>> {
    return this.#links.refusals.counts;
  }

  /** When the certificate of each peer ends, as seen on the links that are open. Unix ms. */
  certificateExpiries(): readonly { readonly peer: string; readonly validUntilMs: number }[] {
    return this.#links.certificateExpiries();
  }

  /** The policy has changed: links that it does not allow any more are ended. */
  reviewLinks(): void {
    this.#links.review();
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
    this.#links.announceHello();
    this.#links.tellAllConnected();
  }

  send(to: NodeId, payload: PeerPayload): boolean {
    const link = this.#links.usableTo(to);
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
    return this.#links.usableTo(peer) !== null;
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
    return this.#links.usableTo(peer)?.queuedBytes ?? 0;
  }

  /** Sends what is queued, ends all links and closes the port. */
  async stop(): Promise<void> {
    if (this.#stopped) {
      return;
    }
    this.#stopped = true;
    this.flush();
    this.#active = false;
    this.#cancelAsking();
    this.#formation.stop();
    await this.#links.close();
  }

  /** A node that has no place says what it wants, again and again: whoever hears it may have forgotten, or be new. */
  #askAgain(): void {
    const { clock, limits } = this.#services;
    this.#cancelAsking = clock.after(limits.joinAskIntervalMs, () => {
      if (this.#isOutside()) this.#links.announceHello();
      this.#askAgain();
    });
  }

  /** Does this node know a cluster in which it is not known to have a place? */
  #isOutside(): boolean {
    if (this.#formation.genesis === null) return this.#formation.isAsking;
    return this.#table.withId(this.#options.identity.id) === undefined;
  }

  #wasRemoved(text: string): void {
    if (this.#removedText !== null || this.#stopped) return;
    this.#removedText = text;
    this.#ports.logger.error({ text }, "This node is not a member of its cluster any more");
    for (const listener of this.#removedListeners) listener(text);
  }

  /** The members as this node knows them, where it has heard that they are. */
  #hintedMembers(): readonly HintedMember[] | null {
    if (this.#formation.genesis === null) return null;
    const own = this.#options.identity.name;
    return this.#table.members.map(({ id, name, peerAddress }): HintedMember => {
      const heard = name === own ? this.#announce : this.#links.heardAddressOf(name);
      return { id, name, peerAddress: heard ?? peerAddress };
    });
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
      certificate: this.#gate?.ownFingerprint ?? null,
      successor: false,
      featureLevel: this.#options.featureLevel,
      version: this.#options.version,
      tlsAddress: this.#options.tlsAddress,
      lendsSnapshots: true,
      members: this.#hintedMembers(),
    };
  }
}
