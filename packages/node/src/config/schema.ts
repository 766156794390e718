/**
 * Every setting of a node, once: its name (redis.conf's where Redis has the setting), its kind, its default and what
 * it means. Flags, environment variables, the file, CONFIG GET and SET and docs/configuration.md all come from here.
 */
import { AT_REST_SETTINGS } from "./at-rest-settings.ts";
import { PRIORITY_DEFAULT, PRIORITY_MAX } from "../members/limits.ts";
import { AUDIT_SETTINGS } from "./audit-settings.ts";
import type { NodeConfig } from "./node-config.ts";
import {
  bindAddresses,
  hostPort,
  listenAddress,
  optionalListenAddress,
  nodeName,
  optionalPort,
  peerList,
  type BindAddress,
} from "./network-kinds.ts";
import { SECURITY_SETTINGS } from "./security-settings.ts";
import type { Setting, SettingGroup } from "./setting.ts";
import { TLS_SETTINGS } from "./tls-settings.ts";
import {
  CONSISTENCY_LEVELS,
  READ_BOUND_MS_MAX,
  READ_BOUND_MS_MIN,
} from "../commands/consistency-levels.ts";
import { bytes, choice, integer, outputBufferLimit, password, path, yesNo } from "./value-kinds.ts";

/** The fields of NodeConfig that are read as they are; the others are put together in parse-config.ts. */
type PlainField = Exclude<
  keyof NodeConfig,
  | "nodeName"
  | "dataDir"
  | "bind"
  | "bindOptional"
  | "peerPort"
  | "peerAnnounce"
  | "clientAnnounce"
  | "tlsBind"
  | "tlsBindOptional"
  | "clientOutputBufferBytesMax"
  | "logFormat"
>;

/** The settings as they were given, before what was left out is derived from the rest. */
export interface SettingValues extends Pick<NodeConfig, PlainField> {
  readonly nodeName: string | null;
  readonly dataDir: string | null;
  readonly bind: readonly BindAddress[];
  readonly peerPort: number | null;
  readonly peerAnnounce: string | null;
  readonly clientAnnounce: string | null;
  readonly tlsBind: readonly BindAddress[] | null;
  readonly clientOutputBufferBytesMax: number | null;
  readonly logFormat: "auto" | "pretty" | "json";
}

export type SettingField = keyof SettingValues;
export type { Setting, SettingGroup };

/** The largest frame overhead of one write that travels between nodes: headers of batch, entry and frame. */
export const PEER_FRAME_OVERHEAD_BYTES: number = 1024 ** 2;

const MEBIBYTE = 1024 ** 2;
const GIBIBYTE = 1024 ** 3;
const TEBIBYTE = 1024 ** 4;
const SECONDS_MAX = 2147483647;
const HOUR_MS = 3_600_000;

const LOG_LEVEL_ALIASES = { verbose: "debug", notice: "info", warning: "warn" } as const;

export const SETTINGS: { readonly [Field in SettingField]: Setting<SettingValues[Field]> } = {
  nodeName: {
    name: "node-name",
    group: "node",
    kind: nodeName,
    defaultText: "",
    defaultMeaning: "the machine's host name",
    about: "The node's name, unique in the cluster. Its certificate must cover it.",
    common: true,
  },
  dataDir: {
    name: "dir",
    group: "node",
    kind: path,
    defaultText: "ferrite-data",
    about: "Where the node keeps its log, snapshots and identity. No two nodes may share it.",
    common: true,
  },
  bind: {
    name: "bind",
    group: "clients",
    kind: bindAddresses,
    defaultText: "127.0.0.1 -::1",
    about:
      "Interfaces that Redis clients connect to. `*` is every IPv4 address; a leading `-` marks one that may be missing.",
    common: true,
  },
  port: {
    name: "port",
    group: "clients",
    kind: integer({ min: 0, max: 65535 }),
    defaultText: "6379",
    about: "TCP port for Redis clients. 0 picks a free one.",
    common: true,
  },
  clientAnnounce: {
    name: "client-announce",
    group: "clients",
    kind: hostPort,
    defaultText: "",
    defaultMeaning: "the first bind address and port",
    about: "Address that clients are told to reach this node at, in CLUSTER NODES and INFO.",
  },
  requirepass: {
    name: "requirepass",
    group: "clients",
    kind: password,
    defaultText: "",
    defaultMeaning: "no password",
    about:
      "Password of the default user. Best given by FERRITE_REQUIREPASS or the file: other users of the machine can see flags.",
    live: true,
    secret: true,
    common: true,
  },
  maxClients: {
    name: "maxclients",
    group: "clients",
    kind: integer({ min: 1, max: 4294967295 }),
    defaultText: "10000",
    about: "Clients connected at the same time; further ones are refused with an error.",
    live: true,
    common: true,
  },
  idleTimeoutSeconds: {
    name: "timeout",
    group: "clients",
    kind: integer({ min: 0, max: SECONDS_MAX }),
    defaultText: "0",
    about: "Seconds without a command after which a client is disconnected. 0 means never.",
    live: true,
  },
  tcpKeepaliveSeconds: {
    name: "tcp-keepalive",
    group: "clients",
    kind: integer({ min: 0, max: SECONDS_MAX }),
    defaultText: "300",
    about: "Seconds after which a silent connection is probed. 0 turns probing off.",
  },
  protoMaxBulkBytes: {
    name: "proto-max-bulk-len",
    group: "clients",
    kind: bytes({ min: MEBIBYTE, max: 512 * MEBIBYTE }),
    defaultText: "64mb",
    about: "Largest single argument of a command. One write has to fit in one frame between nodes.",
    live: true,
  },
  clientQueryBufferBytesMax: {
    name: "client-query-buffer-limit",
    group: "clients",
    kind: bytes({ min: MEBIBYTE, max: 64 * GIBIBYTE }),
    defaultText: "256mb",
    about:
      "Bytes of one unfinished command that a client may have sent; beyond it the client is closed.",
    live: true,
  },
  clientOutputBufferBytesMax: {
    name: "client-output-buffer-limit",
    group: "clients",
    kind: outputBufferLimit,
    defaultText: "normal 256mb 0 0",
    about:
      "Bytes of replies that may wait for a client that does not read; beyond it the client is closed. 0 means no limit. Groups for replica and pubsub are accepted and have no effect.",
    live: true,
  },
  maxMemoryBytes: {
    name: "maxmemory",
    group: "clients",
    kind: bytes({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    defaultText: "0",
    about:
      "Memory for keys and values; writes that need more are refused with OOM, nothing is evicted. 0 means no limit.",
    live: true,
  },

  ...TLS_SETTINGS,
  ...SECURITY_SETTINGS,
  ...AUDIT_SETTINGS,

  peerBind: {
    name: "peer-bind",
    group: "cluster",
    kind: optionalListenAddress,
    defaultText: "",
    defaultMeaning:
      "the host of peer-announce or of the node's own entry in peers, if that is an address of this machine; else 127.0.0.1",
    about: "Interface that the other nodes connect to. All interfaces only when it says `0.0.0.0`.",
    common: true,
  },
  peerPort: {
    name: "peer-port",
    group: "cluster",
    kind: optionalPort(""),
    defaultText: "",
    defaultMeaning: "port + 10000",
    about:
      "TCP port for the other nodes. A cluster of one opens it only with `peer-tls-cert-file`: then nodes may join it. 0 picks a free one.",
    common: true,
  },
  peerAnnounce: {
    name: "peer-announce",
    group: "cluster",
    kind: hostPort,
    defaultText: "",
    defaultMeaning: "peer-bind and peer-port",
    about: "Address that the other nodes dial to reach this one.",
    common: true,
  },
  peers: {
    name: "peers",
    group: "cluster",
    kind: peerList,
    defaultText: "",
    defaultMeaning: "none: a cluster of one",
    about:
      "The members of the cluster to form. The node's own name in it is skipped, so that all nodes can have the same list.",
    common: true,
  },
  clusterToken: {
    name: "cluster-token",
    group: "cluster",
    kind: password,
    defaultText: "",
    about: "A cluster is formed only by nodes that have the same token.",
    secret: true,
  },
  heartbeatIntervalMs: {
    name: "heartbeat-interval-ms",
    group: "cluster",
    kind: integer({ min: 5, max: 60_000 }),
    defaultText: "50",
    about: "How often the leader tells the others that it leads.",
  },
  electionTimeoutMs: {
    name: "election-timeout-ms",
    group: "cluster",
    kind: integer({ min: 20, max: 600_000 }),
    defaultText: "500",
    about:
      "Silence of the leader after which an election is begun; each wait is drawn between this and twice as much. At least three heartbeats.",
  },
  diskStallTimeoutMs: {
    name: "disk-stall-timeout-ms",
    group: "cluster",
    kind: integer({ min: 0, max: 600_000 }),
    defaultText: "0",
    about:
      "A leader whose disk does not finish a write within this hands leadership to another node. 0: election-timeout-ms.",
  },
  memberJoin: {
    name: "member-join",
    group: "cluster",
    kind: choice(["invited", "auto"]),
    defaultText: "invited",
    about:
      "Which new nodes that know the cluster token and have a certificate of the peer authority may become members: `invited` by FERRITE.MEMBER ADD, or all of them (`auto`). A member's name comes back on an empty disk either way.",
    live: true,
  },
  memberPriority: {
    name: "member-priority",
    group: "cluster",
    kind: integer({ min: 0, max: PRIORITY_MAX }),
    defaultText: String(PRIORITY_DEFAULT),
    about:
      "How readily this node leads, against the others; 0 never does as long as another can. FERRITE.MEMBER PRIORITY changes it until this setting changes.",
  },
  stateCheckIntervalMs: {
    name: "state-check-interval-ms",
    group: "cluster",
    kind: integer({ min: 0, max: 7 * 24 * HOUR_MS }),
    defaultText: "600000",
    about:
      "How often the leader has all members compare the hash of their data at one log position. A node that differs from the majority stops, and takes its data from the others when it is started again. 0: never by itself (FERRITE.STATE CHECK does it once).",
  },
  peerFrameBytesMax: {
    name: "peer-frame-bytes-max",
    group: "cluster",
    kind: bytes({ min: 2 * MEBIBYTE, max: GIBIBYTE }),
    defaultText: "80mb",
    about: "Largest frame between nodes. At least proto-max-bulk-len and 1mb more.",
  },

  readConsistency: {
    name: "read-consistency",
    group: "reads and writes",
    kind: choice(CONSISTENCY_LEVELS),
    defaultText: "session",
    about:
      "What reads promise unless a connection asks for something else. session: your own writes, and never backwards on one connection. linearizable: nothing older than the moment of the call. lease: the same, and without asking the other nodes where the leader holds a lease (lease-reads). bounded: nothing older than read-bound-ms. local: whatever this node has, as long as it knows who may ask (acl-max-staleness-ms).",
    live: true,
    common: true,
  },
  readBoundMs: {
    name: "read-bound-ms",
    group: "reads and writes",
    kind: integer({ min: READ_BOUND_MS_MIN, max: READ_BOUND_MS_MAX }),
    defaultText: "1000",
    about:
      "How old a read of level bounded may be, in ms: a node that knows its data to be newer answers at once, another asks the leader first.",
    live: true,
  },
  leaseReads: {
    name: "lease-reads",
    group: "reads and writes",
    kind: yesNo,
    defaultText: "no",
    about:
      "Whether nodes promise a leader to elect nobody else for an election timeout, so that it may answer reads of level lease without asking them. Relies on clocks: they may differ in speed by a tenth, and jump by a tenth of the election timeout. While such reads are made, a leader that dies is replaced after the election timeout, not before. The same on all nodes, election-timeout-ms too; without it such reads ask the leader.",
  },
  replicaServeStaleData: {
    name: "replica-serve-stale-data",
    group: "reads and writes",
    kind: yesNo,
    defaultText: "yes",
    about:
      "Whether a node that has lost its leader goes on answering reads, until acl-max-staleness-ms is over: then it honours nobody.",
  },
  replicaMaxStalenessMs: {
    name: "replica-max-staleness-ms",
    group: "reads and writes",
    kind: integer({ min: 0, max: 24 * HOUR_MS }),
    defaultText: "10000",
    about:
      "Without a leader for longer than this, reads are refused when replica-serve-stale-data is no.",
  },
  proposalTimeoutMs: {
    name: "proposal-timeout-ms",
    group: "reads and writes",
    kind: integer({ min: 100, max: HOUR_MS }),
    defaultText: "10000",
    about: "A write without an outcome by then is answered with an error.",
  },
  proposalQueueBytesMax: {
    name: "proposal-queue-bytes",
    group: "reads and writes",
    kind: bytes({ min: MEBIBYTE, max: 16 * GIBIBYTE }),
    defaultText: "64mb",
    about: "Writes of this node that are on their way; beyond it new ones are refused.",
  },

  logSegmentBytes: {
    name: "log-segment-bytes",
    group: "storage",
    kind: bytes({ min: MEBIBYTE, max: GIBIBYTE }),
    defaultText: "64mb",
    about: "Size of one log file. Space for it is reserved when it is begun.",
  },
  repairDamagedDisk: {
    name: "repair-damaged-disk",
    group: "storage",
    kind: yesNo,
    defaultText: "yes",
    about:
      "Whether a node that finds its log or its snapshots damaged takes the damaged files out of use and has the others send what is missing. No: it does not start. A node alone never starts without all that it has acknowledged.",
  },
  snapshotLogBytes: {
    name: "snapshot-log-bytes",
    group: "storage",
    kind: bytes({ min: 64 * 1024, max: TEBIBYTE }),
    defaultText: "64mb",
    about: "Bytes of log after which the next snapshot is begun.",
  },
  logCacheBytesMax: {
    name: "log-cache-bytes",
    group: "storage",
    kind: bytes({ min: MEBIBYTE, max: 64 * GIBIBYTE }),
    defaultText: "64mb",
    about: "Log entries kept in memory for nodes that lag behind.",
  },
  ...AT_REST_SETTINGS,

  httpBind: {
    name: "http-bind",
    group: "observability",
    kind: listenAddress,
    defaultText: "127.0.0.1",
    about: "Interface for health checks and metrics.",
    common: true,
  },
  httpPort: {
    name: "http-port",
    group: "observability",
    kind: optionalPort("no"),
    defaultText: "8080",
    about: "TCP port for health checks and metrics. 0 picks a free one, `no` turns HTTP off.",
    common: true,
  },
  logLevel: {
    name: "loglevel",
    group: "observability",
    kind: choice(["trace", "debug", "info", "warn", "error"], LOG_LEVEL_ALIASES),
    defaultText: "info",
    about: "How much is logged. Redis' words verbose, notice and warning are understood.",
    live: true,
    common: true,
  },
  logFormat: {
    name: "log-format",
    group: "observability",
    kind: choice(["auto", "pretty", "json"]),
    defaultText: "auto",
    about: "Log lines for people or for programs; auto is pretty on a terminal.",
  },
};

/** All fields, in the order of the table. */
export const SETTING_FIELDS: readonly SettingField[] = Object.keys(SETTINGS) as SettingField[];

const FIELD_BY_NAME: ReadonlyMap<string, SettingField> = new Map(
  SETTING_FIELDS.flatMap((field) => {
    const setting: Setting<never> = SETTINGS[field] as unknown as Setting<never>;
    return [setting.name, ...(setting.alsoNamed ?? [])].map((name) => [name, field] as const);
  }),
);

/** The field of a setting's outside name (any case), or undefined when there is no such setting. */
export function fieldOfName(name: string): SettingField | undefined {
  return FIELD_BY_NAME.get(name.toLowerCase());
}

/** All outside names, in the order of the table. */
export function settingNames(): string[] {
  return SETTING_FIELDS.map((field) => SETTINGS[field].name);
}

/** The environment variable of a setting: `peer-port` is read from `FERRITE_PEER_PORT`. */
export function environmentName(name: string): string {
  return `FERRITE_${name.toUpperCase().replaceAll("-", "_")}`;
}
