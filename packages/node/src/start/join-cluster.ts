/**
 * Brings a node into its cluster: links to the peers, and who founded it. One that is known from the disk, one that is formed
 * with the configured peers, or one that others have formed: then this node asks to join, for as long as it takes, and
 * goes on when the members have agreed to it. It is a learner that counts for nothing until a configuration names it.
 */
import type { FileSystem } from "@ferrite/storage";
import type { Logger } from "pino";
import type { LiveCredentials } from "../certificates/live-credentials.ts";
import type { HostPort } from "../config/host-port.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { FEATURE_LEVEL_MAX } from "../members/feature-level.ts";
import type { MemberLinks } from "../members/membership-ports.ts";
import { parseHostPort, formatHostPort } from "../config/host-port.ts";
import type { PeerRefusal } from "../peers/connection-refusal.ts";
import { DEFAULT_PEER_LIMITS } from "../peers/limits.ts";
import type { Genesis, Member } from "../peers/membership.ts";
import { peerListenAddress } from "../peers/listen-address.ts";
import { PeerNetwork } from "../peers/network.ts";
import type { PeerPolicy } from "../peers/options.ts";
import type { PeerMetricsSource } from "../metrics/peer-metrics.ts";
import type { Transport, TransportEvents } from "../replica/transport.ts";
import { FERRITE_VERSION } from "../server/version.ts";
import { checkPeersFit, loadGenesis, persistGenesis } from "./genesis-file.ts";
import type { GenesisOwner } from "./genesis-file.ts";

export interface ClusterLinks {
  readonly genesis: Genesis;
  /** How this start came by its cluster: known from the disk, founded by this disk with the others, or joined. */
  readonly origin: "known" | "founded" | "joined";
  /** This node with the addresses it has at this start. */
  readonly self: Member;
  readonly transport: Transport & { flush(): void };
  /** host:port of the peer listener, or null. */
  readonly address: string | null;
  /** What metrics read. */
  readonly network: PeerMetricsSource;
  /** Who the links are for; follows the replicated state. */
  readonly members: MemberLinks;
  /** The policy has changed. */
  reviewLinks(): void;
  /** Payloads flow from now on. */
  activate(events: TransportEvents, logicalNowMs: () => number): void;
  stop(): Promise<void>;
}

export interface JoinClusterOptions {
  readonly config: NodeConfig;
  readonly identity: GenesisOwner;
  readonly fileSystem: FileSystem;
  readonly logger: Logger;
  /** Null in a cluster of one that nobody may join. */
  readonly credentials: LiveCredentials | null;
  /** The settings as they are now. */
  policy(): PeerPolicy;
  /** There is no cluster on this disk, and it may take long to get one: `problem` says what is being waited for. */
  waiting(problem: () => string): Promise<{ close(): Promise<void> }>;
  /** For the trail; there is none yet while the cluster is being formed. */
  onRefused(refusal: PeerRefusal): void;
}

/**
 * Opens the peer port and waits until this node belongs to a cluster: one it knows from its disk, or the one that it
 * forms with its configured peers. That may take as long as the peers take to come up.
 */
export async function joinCluster(options: JoinClusterOptions): Promise<ClusterLinks> {
  const { config, fileSystem, logger } = options;
  const identity = { id: options.identity.id, name: options.identity.name };
  const known = loadGenesis(fileSystem, config.dataDir, options.identity);
  if (known !== null) checkPeersFit(known, identity, config);
  const relay = new EventRelay();
  const listen = await listenAddress(options);
  const network = new PeerNetwork(
    {
      identity,
      clusterToken: config.clusterToken,
      listen,
      announce: config.peerPort === 0 ? null : config.peerAnnounce,
      clientAnnounce: config.clientAnnounce,
      tlsAddress: tlsAddressOf(config),
      featureLevel: FEATURE_LEVEL_MAX,
      version: FERRITE_VERSION,
      peers: config.peers,
      genesis: known,
      credentials: options.credentials,
      policy: () => options.policy(),
      limits: { ...DEFAULT_PEER_LIMITS, frameBytesMax: config.peerFrameBytesMax },
      logicalNowMs: () => relay.logicalNowMs(),
      persistGenesis: (genesis) => {
        persistGenesis(fileSystem, config.dataDir, genesis, identity);
        return Promise.resolve();
      },
    },
    relay,
    { logger, onRefused: (refusal) => options.onRefused(refusal) },
  );
  try {
    await network.start();
    const genesis = await formed(network, options, known);
    const isFounder = genesis.members.some((member) => member.id === identity.id);
    return {
      genesis,
      origin: known !== null ? "known" : isFounder ? "founded" : "joined",
      self: {
        ...identity,
        peerAddress: network.address,
        clientAddress: config.clientAnnounce,
      },
      transport: network,
      network,
      members: network,
      reviewLinks: () => network.reviewLinks(),
      address: options.credentials === null ? null : network.address,
      activate: (events, logicalNowMs) => {
        relay.connect(events, logicalNowMs);
        network.activate();
      },
      stop: () => network.stop(),
    };
  } catch (error) {
    await network.stop();
    throw error;
  }
}

/** The cluster; while it is waited for somebody can ask why. */
async function formed(
  network: PeerNetwork,
  options: JoinClusterOptions,
  known: Genesis | null,
): Promise<Genesis> {
  if (known !== null || options.config.peers.length === 0) return await network.form();
  const room = await options.waiting(() => network.formationProblem ?? "the node is starting");
  try {
    return await network.form();
  } finally {
    await room.close();
  }
}

/** Where the peer port is opened; without certificates it is not. */
async function listenAddress(options: JoinClusterOptions): Promise<HostPort> {
  const { config, logger } = options;
  if (options.credentials === null) {
    return { host: config.peerBind ?? "127.0.0.1", port: config.peerPort };
  }
  const peers = config.peers.map((peer) => peer.address);
  const { host, warning } = await peerListenAddress(config.peerBind, config.peerAnnounce, peers);
  if (warning !== null) logger.warn({ listening: host }, warning);
  return { host, port: config.peerPort };
}

/** Where clients that speak TLS are told to go: the host that all clients are told, and the port for TLS. */
export function tlsAddressOf(config: NodeConfig): string | null {
  const host = parseHostPort(config.clientAnnounce)?.host;
  const hasCertificate = config.tlsCertFile !== null;
  if (host === undefined || !hasCertificate || config.tlsPort === null || config.tlsPort === 0) {
    return null;
  }
  return formatHostPort({ host, port: config.tlsPort });
}

/** What the settings say about the certificates of other nodes. */
export function peerPolicy(config: NodeConfig): PeerPolicy {
  return { allowedSan: config.peerAllowedSan, closeExpired: config.tlsCloseExpired };
}

/** Stands in for the replica until there is one. Nothing arrives before: payloads flow after `activate` only. */
class EventRelay implements TransportEvents {
  #events: TransportEvents | null = null;
  logicalNowMs: () => number = () => Date.now();

  connect(events: TransportEvents, logicalNowMs: () => number): void {
    this.#events = events;
    this.logicalNowMs = logicalNowMs;
  }

  onPayload(...details: Parameters<TransportEvents["onPayload"]>): void {
    this.#events?.onPayload(...details);
  }

  onConnected(...details: Parameters<TransportEvents["onConnected"]>): void {
    this.#events?.onConnected(...details);
  }

  onDisconnected(...details: Parameters<TransportEvents["onDisconnected"]>): void {
    this.#events?.onDisconnected(...details);
  }
}
