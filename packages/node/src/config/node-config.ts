/**
 * The settings of one node, after flags, environment, file and defaults were merged and checked (schema.ts).
 * Names on the outside are those of redis.conf where Redis has the setting (`proto-max-bulk-len`), units last.
 */
import type { AuditSettings } from "../audit/audit-settings.ts";
import type { CertificateUserRule, TlsProtocol } from "./tls-kinds.ts";
import type { Consistency } from "../commands/consistency-levels.ts";

/** How certificates are used. Which files each port ends up with: tls-files.ts. Paths are absolute, null is none. */
export interface TlsConfig {
  /** tls-port: RESP over TLS; null = off; 0 picks a free one. Default 6380 with a certificate. */
  readonly tlsPort: number | null;
  /** tls-bind; default those of bind. */
  readonly tlsBind: readonly string[];
  readonly tlsBindOptional?: readonly string[];
  readonly tlsCertFile: string | null;
  readonly tlsKeyFile: string | null;
  readonly tlsKeyPassphraseFile: string | null;
  readonly tlsCaCertFile: string | null;
  readonly tlsCaCertDirectory: string | null;
  /** tls-auth-clients, default yes: as soon as there are authorities. */
  readonly tlsAuthClients: "yes" | "no" | "optional";
  /** tls-auth-clients-user, default off */
  readonly tlsAuthClientsUser: CertificateUserField;
  /** tls-auth-clients-user-map: first fit; empty: the name is the user's. */
  readonly tlsAuthClientsUserMap: readonly CertificateUserRule[];
  readonly tlsProtocols: readonly TlsProtocol[];
  /** Empty: our choice. */
  readonly tlsCiphers: string;
  readonly tlsCiphersuites: string;
  readonly tlsPreferServerCiphers: boolean;
  readonly tlsSessionCaching: boolean;
  readonly tlsSessionCacheTimeoutSeconds: number;
  readonly tlsHandshakeTimeoutMs: number;
  /** require-tls (also require_tls), default no */
  readonly requireTls: boolean;
  readonly tlsCrlFile: string | null;
  /** tls-crl-stale, default accept */
  readonly tlsCrlStale: "accept" | "refuse";
  /** tls-close-expired, default yes */
  readonly tlsCloseExpired: boolean;
  /** tls-reload-interval, default 60; 0 = never */
  readonly tlsReloadIntervalSeconds: number;
  /** tls-expiry-warning-days, default 30 7 1 */
  readonly tlsExpiryWarningDays: readonly number[];
  /** http-tls, default no */
  readonly httpTls: boolean;
  readonly peerTlsCertFile: string | null;
  readonly peerTlsKeyFile: string | null;
  readonly peerTlsKeyPassphraseFile: string | null;
  readonly peerTlsCaCertFile: string | null;
  readonly peerTlsCaCertDirectory: string | null;
  readonly peerTlsCrlFile: string | null;
  /** peer-allowed-san; empty: certificates cover the node's name. */
  readonly peerAllowedSan: readonly string[];
}

/** Encryption at rest. Where the key-encryption key is: exactly one of file, key and Vault. Paths are absolute. */
export interface AtRestConfig {
  /** at-rest-encryption, default no */
  readonly atRestEncryption: boolean;
  readonly atRestKeyFile: string | null;
  /** at-rest-key: the key itself; empty = none. Secret. */
  readonly atRestKey: string;
  /** at-rest-vault-address: without a slash at its end. */
  readonly atRestVaultAddress: string | null;
  readonly atRestVaultTransitKey: string;
  /** at-rest-vault-mount, default transit */
  readonly atRestVaultMount: string;
  readonly atRestVaultTokenFile: string | null;
  readonly atRestVaultNamespace: string;
  readonly atRestVaultCaCertFile: string | null;
  /** at-rest-vault-timeout-ms, default 5000 */
  readonly atRestVaultTimeoutMs: number;
  /** at-rest-vault-wait-ms, default 30000 */
  readonly atRestVaultWaitMs: number;
}

/** The name in a client's certificate that is its user. */
export type CertificateUserField = "off" | "CN" | "SAN-URI" | "SAN-DNS" | "SAN-EMAIL";

export interface NodeConfig extends AuditSettings, TlsConfig, AtRestConfig {
  /** node-name: unique in the cluster, covered by the node's certificate. */
  readonly nodeName: string;
  /** dir */
  readonly dataDir: string;
  /** bind: interfaces of the RESP listener; default 127.0.0.1 and ::1. */
  readonly bind: readonly string[];
  /** Those of `bind` that this machine may lack (Redis' `-::1`): failing to listen there is no error. */
  readonly bindOptional?: readonly string[];
  /** port: RESP, default 6379; 0 picks a free one. */
  readonly port: number;
  /** peer-bind; null: the own address, see peers/listen-address.ts. */
  readonly peerBind: string | null;
  /** peer-port: default port + 10000. 0 picks a free one. Unused without peers. */
  readonly peerPort: number;
  /** peer-announce host:port that other nodes dial; default peer-bind:peer-port. */
  readonly peerAnnounce: string;
  /** client-announce host:port told to clients (CLUSTER NODES, INFO); default bind[0]:port. */
  readonly clientAnnounce: string;
  /** peers: the other members of the cluster to form; empty = a cluster of one. `name=host:port,...` */
  readonly peers: readonly { readonly name: string; readonly address: string }[];
  /** cluster-token: nodes form a cluster only with those that have the same; empty is a token too. */
  readonly clusterToken: string;
  /** http-bind, http-port (default 8080; 0 picks a free one); null = off, written `no` */
  readonly httpBind: string;
  readonly httpPort: number | null;

  /** requirepass: password of the default user; empty = none. */
  readonly requirepass: string;
  /** protected-mode, default yes: without any password only clients on this machine are served. */
  readonly protectedMode: boolean;
  /** maxclients, default 10000 */
  readonly maxClients: number;
  /** timeout: seconds of idling before a client is closed, 0 = never. */
  readonly idleTimeoutSeconds: number;
  /** tcp-keepalive seconds, default 300 */
  readonly tcpKeepaliveSeconds: number;
  /** proto-max-bulk-len, default 64 MiB (one write must fit in one log batch). */
  readonly protoMaxBulkBytes: number;
  /** client-query-buffer-limit, default 256 MiB */
  readonly clientQueryBufferBytesMax: number;
  /** client-output-buffer-limit for normal clients: bytes that may wait for a client that does not read; default 256 MiB. */
  readonly clientOutputBufferBytesMax: number;
  /** maxmemory bytes, 0 = no limit; with a limit writes that need memory are refused with OOM (noeviction). */
  readonly maxMemoryBytes: number;

  /** unixsocket: absolute path; null = none. */
  readonly unixSocket: string | null;
  /** unixsocketperm, default 0o700 */
  readonly unixSocketPermissions: number;
  /** unauthenticated-clients-max, default 1000 */
  readonly unauthenticatedClientsMax: number;
  /** unauthenticated-clients-per-address-max, default 500 */
  readonly unauthenticatedClientsPerAddressMax: number;
  /** auth-timeout-ms, default 10000; 0 = no deadline */
  readonly authTimeoutMs: number;
  /** auth-throttle, default yes */
  readonly authThrottle: boolean;
  /** auth-throttle-max-delay-ms, default 10000 */
  readonly authThrottleMaxDelayMs: number;
  /** auth-queue-max: jobs waiting in each lane of the hashing thread, default 256 */
  readonly authQueueMax: number;
  /** auth-cache-entries, default 10000 */
  readonly authCacheEntriesMax: number;
  /** password-hash-iterations, default 100000 */
  readonly passwordHashIterations: number;
  /** aclfile: absolute path; null = acl.conf in the data directory. */
  readonly aclFile: string | null;
  /** acl-new-commands, default allow; see SettingsView.show for what the cluster says. */
  readonly aclNewCommands: "allow" | "deny";
  /** acl-auto-save, default no: ACL SAVE after every change of users. */
  readonly aclAutoSave: boolean;
  /** acllog-max-len, default 128 */
  readonly aclLogEntriesMax: number;
  /** acl-max-staleness-ms, default 10000 */
  readonly aclMaxStalenessMs: number;

  /** read-consistency, default session */
  readonly readConsistency: Consistency;
  /** read-bound-ms, default 1000 */
  readonly readBoundMs: number;
  /** lease-reads, default no */
  readonly leaseReads: boolean;
  /** replica-serve-stale-data, default yes */
  readonly replicaServeStaleData: boolean;
  /** replica-max-staleness-ms, default 10000 */
  readonly replicaMaxStalenessMs: number;

  /** heartbeat-interval-ms, default 50 */
  readonly heartbeatIntervalMs: number;
  /** election-timeout-ms: minimum; each wait is drawn from [t, 2t). Default 500 */
  readonly electionTimeoutMs: number;
  /** disk-stall-timeout-ms: a leader whose disk does not finish a write within it hands over. Default 0: the election timeout */
  readonly diskStallTimeoutMs: number;
  /** member-join: who may become a member: those that were invited, or every node of the token and authority. Default invited */
  readonly memberJoin: "invited" | "auto";
  /** member-priority: how readily this node leads, 0 to 100. Default 50 */
  readonly memberPriority: number;
  /** state-check-interval-ms: how often the members compare their states. Default 600000; 0: never by itself */
  readonly stateCheckIntervalMs: number;
  /** proposal-timeout-ms: a write without an outcome by then is answered with an error. Default 10000 */
  readonly proposalTimeoutMs: number;
  /** proposal-queue-bytes: writes of this node on their way; beyond it new ones are refused. Default 64 MiB */
  readonly proposalQueueBytesMax: number;
  /** log-segment-bytes, default 64 MiB */
  readonly logSegmentBytes: number;
  /** repair-damaged-disk, default yes: damaged files are put aside, and what is missing comes from the other nodes. */
  readonly repairDamagedDisk: boolean;
  /** snapshot-log-bytes: log written since the last snapshot that starts the next one. Default 64 MiB */
  readonly snapshotLogBytes: number;
  /** log-cache-bytes: log entries kept in memory for followers that lag. Default 64 MiB */
  readonly logCacheBytesMax: number;
  /** peer-frame-bytes-max, default 80 MiB */
  readonly peerFrameBytesMax: number;

  /** loglevel: trace debug info (Redis: verbose, notice) warn error */
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error";
  /** log-format: pretty on a terminal, else json */
  readonly logFormat: "pretty" | "json";
}
