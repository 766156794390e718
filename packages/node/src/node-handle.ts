/** What a program that embeds a node holds in its hands. */
import type { Logger } from "pino";
import type { NodeConfig } from "./config/node-config.ts";
import type { ReplicaView } from "./replica/replica-view.ts";

export interface StartNodeOptions {
  readonly config: NodeConfig;
  /** Default: says nothing. */
  readonly logger?: Logger;
}

/** Where a node listens, as host:port with the ports that were really bound. */
export interface NodeAddresses {
  readonly resp: readonly string[];
  /** RESP over TLS; empty without a certificate or when it is off. */
  readonly tls: readonly string[];
  /** Null in a cluster of one. */
  readonly peer: string | null;
  /** Null when HTTP is off. */
  readonly http: string | null;
}

export interface NodeHandle {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly addresses: NodeAddresses;
  readonly replica: ReplicaView;
  /**
   * Reads the files of certificates and the key-encryption key again, as SIGHUP asks for. What is wrong with them is
   * logged, and the old ones stay.
   */
  reloadCertificates(): Promise<void>;
  /** Hands leadership over, answers what is under way, writes what is left and closes. Safe to call twice. */
  stop(): Promise<void>;
  /** Resolves once the node has ended: with the error that ended it, or with null after `stop`. */
  readonly stopped: Promise<Error | null>;
}
