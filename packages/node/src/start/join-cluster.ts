/** Brings a node into its cluster: links to the peers, and who the members are. A cluster of one has members, but no links. */
import type { FileSystem } from "@ferrite/storage";
import type { Logger } from "pino";
import type { LiveCredentials } from "../certificates/live-credentials.ts";
import type { HostPort } from "../config/host-port.ts";
import type { NodeConfig } from "../config/node-config.ts";
import type { PeerRefusal } from "../peers/connection-refusal.ts";
import { DEFAULT_PEER_LIMITS } from "../peers/limits.ts";
import type { Genesis, Member, NodeIdentity } from "../peers/membership.ts";
import { peerListenAddress } from "../peers/listen-address.ts";
import { PeerNetwork } from "../peers/network.ts";
import type { PeerPolicy } from "../peers/options.ts";
import type { PeerMetricsSource } from "../metrics/peer-metrics.ts";
import type { Transport, TransportEvents } from "../replica/transport.ts";
import { checkPeersFit, loadGenesis, persistGenesis } from "./genesis-file.ts";

export interface ClusterLinks {
  readonly genesis: Genesis;
  /** The cluster was formed just now. */
  readonly isNew: boolean;
  /** This node with the addresses it has at this start. */
  readonly self: Member;
  readonly transport: Transport & { flush(): void };
  /** host:port of the peer listener, or null. */
  readonly address: string | null;
  /** What metrics read. */
  readonly network: PeerMetricsSource;
  /** The policy has changed. */
  reviewLinks(): void;
  /** Payloads flow from now on. */
  activate(events: TransportEvents, logicalNowMs: () => number): void;
  stop(): Promise<void>;
}

export interface JoinClusterOptions {
  readonly config: NodeConfig;
  readonly identity: NodeIdentity;
  readonly fileSystem: FileSystem;
  readonly logger: Logger;
  /** Null in a cluster of one. */
  readonly credentials: LiveCredentials | null;
  /** The settings as they are now. */
  policy(): PeerPolicy;
  /** For the trail; there is none yet while the cluster is being formed. */
  onRefused(refusal: PeerRefusal): void;
}

/**
 * Opens the peer port and waits until this node belongs to a cluster: one it knows from its disk, or the one that it
 * forms with its configured peers. That may take as long as the peers take to come up.
 */
export async function joinCluster(options: JoinClusterOptions): Promise<ClusterLinks> {
  const { config, identity, fileSystem, logger } = options;
  const known = loadGenesis(fileSystem, config.dataDir, identity);
  if (known !== null) checkPeersFit(known, config);
  const relay = new EventRelay();
  const listen = await listenAddress(config, logger);
  const network = new PeerNetwork(
    {
      identity,
      clusterToken: config.clusterToken,
      listen,
      announce: config.peerPort === 0 ? null : config.peerAnnounce,
      clientAnnounce: config.clientAnnounce,
      peers: config.peers,
      genesis: known,
      credentials: options.credentials,
      policy: () => options.policy(),
      limits: { ...DEFAULT_PEER_LIMITS, frameBytesMax: config.peerFrameBytesMax },
      logicalNowMs: () => relay.logicalNowMs(),
      persistGenesis: (genesis) => {
        persistGenesis(fileSystem, config.dataDir, genesis);
        return Promise.resolve();
      },
    },
    relay,
    { logger, onRefused: (refusal) => options.onRefused(refusal) },
  );
  try {
    await network.start();
    const alone = config.peers.length === 0;
    const genesis = await network.form();
    return {
      genesis,
      isNew: known === null,
      self: {
        ...identity,
        peerAddress: network.address,
        clientAddress: config.clientAnnounce,
      },
      transport: network,
      network,
      reviewLinks: () => network.reviewLinks(),
      address: alone && genesis.members.length === 1 ? null : network.address,
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

/** Where the peer port is opened; in a cluster of one it is not. */
async function listenAddress(config: NodeConfig, logger: Logger): Promise<HostPort> {
  if (config.peers.length === 0) {
    return { host: config.peerBind ?? "127.0.0.1", port: config.peerPort };
  }
  const peers = config.peers.map((peer) => peer.address);
  const { host, warning } = await peerListenAddress(config.peerBind, config.peerAnnounce, peers);
  if (warning !== null) logger.warn({ listening: host }, warning);
  return { host, port: config.peerPort };
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
