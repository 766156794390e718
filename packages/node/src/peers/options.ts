/** What a peer network is made from. */
import { parseHostPort } from "../config/host-port.ts";
import type { HostPort } from "../config/host-port.ts";
import type { LiveCredentials } from "../certificates/live-credentials.ts";
import { PeerError } from "./errors.ts";
import { MEMBERS_MAX } from "./hello.ts";
import { checkPeerLimits } from "./limits.ts";
import type { PeerLimits } from "./limits.ts";
import type { Genesis, NodeIdentity } from "./membership.ts";
import { isNodeId } from "./node-id-bytes.ts";

/** What of certificates the operator may change while the node runs. */
export interface PeerPolicy {
  /** peer-allowed-san; empty: a certificate covers its node's name. */
  readonly allowedSan: readonly string[];
  /** tls-close-expired */
  readonly closeExpired: boolean;
}

export interface PeerNetworkOptions {
  readonly identity: NodeIdentity;
  /** cluster-token; empty is a token too. */
  readonly clusterToken: string;
  /** Where to listen; port 0 picks a free one. */
  readonly listen: HostPort;
  /** host:port that others dial; null announces what was really opened. */
  readonly announce: string | null;
  /** host:port told to clients. */
  readonly clientAnnounce: string;
  /** host:port told to clients that speak TLS; null: none. */
  readonly tlsAddress: string | null;
  /** The highest feature level that this version supports, and its name. */
  readonly featureLevel: number;
  readonly version: string;
  /** The other nodes, as far as the operator names them; empty for a cluster of one, which may have others join it. */
  readonly peers: readonly { readonly name: string; readonly address: string }[];
  /** The cluster this data directory belongs to; null on a new one. */
  readonly genesis: Genesis | null;
  /** Null only without peers: there is no port then. Not closed here. */
  readonly credentials: LiveCredentials | null;
  /** From DEFAULT_PEER_LIMITS, with changes. */
  readonly limits: PeerLimits;
  /** As it is now; `reviewLinks` of the network is to be called when it has changed. */
  policy(): PeerPolicy;
  /** This node's logical clock in ms, written on every frame. */
  logicalNowMs(): number;
  /** Must have made it durable when the promise is fulfilled. */
  persistGenesis(genesis: Genesis): Promise<void>;
}

/** @throws PeerError badOption */
export function checkPeerNetworkOptions(options: PeerNetworkOptions): void {
  checkPeerLimits(options.limits);
  const { identity, peers, genesis } = options;
  if (!isNodeId(identity.id)) {
    throw new PeerError("badOption", `The node id "${identity.id}" is not a UUID in lower case.`);
  }
  const names = new Set([identity.name]);
  for (const { name, address } of peers) {
    if (names.has(name)) {
      throw new PeerError(
        "badOption",
        `The name "${name}" is used twice: node-name and peers must differ.`,
      );
    }
    names.add(name);
    const parsed = parseHostPort(address);
    if (parsed === null || parsed.port === 0) {
      throw new PeerError(
        "badOption",
        `The address "${address}" of peer "${name}" is not host:port.`,
      );
    }
  }
  if (names.size > MEMBERS_MAX) {
    throw new PeerError("badOption", `${names.size} members are more than ${MEMBERS_MAX}.`);
  }
  const listed = genesis?.members.find((member) => member.id === identity.id);
  if (genesis !== null && listed !== undefined && listed.name !== identity.name) {
    throw new PeerError(
      "badOption",
      `The data directory belongs to cluster ${genesis.clusterId}, which lists the id ${identity.id} as "${listed.name}", ` +
        `not as "${identity.name}": was node-name changed?`,
    );
  }
}

/** Does this node need links to be anything? A cluster of one does without, but others may join it. */
export function needsOthers(options: PeerNetworkOptions): boolean {
  const { genesis, peers, identity } = options;
  if (genesis === null) return peers.length > 0;
  return genesis.members.some((member) => member.id !== identity.id);
}
