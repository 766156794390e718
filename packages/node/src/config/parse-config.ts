/** From the collected settings to the configuration of a node: what was left out is derived, what does not fit together is refused. */
import { resolve } from "node:path";
import { atRestWarnings } from "./at-rest-settings.ts";
import { ConfigError, type ConfigProblem } from "./config-error.ts";
import { formatHostPort, parseHostPort } from "./host-port.ts";
import { isNodeName } from "./network-kinds.ts";
import type { NodeConfig } from "./node-config.ts";
import { SETTINGS } from "./schema.ts";
import {
  collectSettings,
  DEFAULT_SOURCE,
  type CollectedSettings,
  type ConfigSources,
} from "./sources.ts";
import { crossCheck } from "./cross-check.ts";

/** What defaults depend on, handed in so that parsing stays a function of its arguments. */
export interface HostFacts {
  readonly hostname: string;
  /** Relative paths are resolved against it. */
  readonly workingDirectory: string;
  /** Logs go to a terminal. */
  readonly isTerminal: boolean;
}

export interface ParsedConfig {
  readonly config: NodeConfig;
  /** Things that are legal and probably not meant. */
  readonly warnings: readonly string[];
}

/** The port for RESP over TLS when there is a certificate and nothing was said. */
const DEFAULT_TLS_PORT = 6380;

const TLS_PATHS = [
  "tlsCertFile",
  "tlsKeyFile",
  "tlsKeyPassphraseFile",
  "tlsCaCertFile",
  "tlsCaCertDirectory",
  "tlsCrlFile",
  "peerTlsCertFile",
  "peerTlsKeyFile",
  "peerTlsKeyPassphraseFile",
  "peerTlsCaCertFile",
  "peerTlsCaCertDirectory",
  "peerTlsCrlFile",
] as const;
type TlsPath = (typeof TLS_PATHS)[number];

/** The distance between the client port and the port for peers, as in Redis Cluster. */
const PEER_PORT_OFFSET = 10_000;

/**
 * Merges flag, environment, file and default (in this order of strength) into a configuration.
 * Throws ConfigError with every problem found.
 */
export function parseConfig(sources: ConfigSources, host: HostFacts): ParsedConfig {
  const collected = collectSettings(sources);
  const problems: ConfigProblem[] = [...collected.problems];
  const warnings: string[] = [];
  const config = build({ collected, host, problems, warnings });
  problems.push(...crossCheck(config, collected.sourceOf));
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    config,
    warnings: [...warnings, ...exposureWarnings(config), ...atRestWarnings(config)],
  };
}

interface Building {
  readonly collected: CollectedSettings;
  readonly host: HostFacts;
  readonly problems: ConfigProblem[];
  readonly warnings: string[];
}

function build(building: Building): NodeConfig {
  const { collected, host } = building;
  const { values } = collected;
  const nodeName = values.nodeName ?? defaultNodeName(host.hostname);
  const peers = values.peers.filter((peer) => peer.name !== nodeName);
  const self = values.peers.find((peer) => peer.name === nodeName);
  const peerPort = derivePeerPort(building, {
    hasPeers: peers.length > 0,
    selfAddress: self?.address,
  });
  const firstBind = values.bind[0]?.address ?? "127.0.0.1";
  return {
    ...values,
    nodeName,
    dataDir: resolve(host.workingDirectory, values.dataDir ?? "."),
    bind: values.bind.map((entry) => entry.address),
    bindOptional: values.bind.filter((entry) => entry.optional).map((entry) => entry.address),
    peerPort,
    peers,
    peerAnnounce:
      values.peerAnnounce ??
      self?.address ??
      announce(values.peerBind ?? "127.0.0.1", peerPort, host),
    clientAnnounce: values.clientAnnounce ?? announce(firstBind, values.port, host),
    ...tlsFields(building),
    clientOutputBufferBytesMax: values.clientOutputBufferBytesMax ?? outputBufferDefault(),
    unixSocket: resolvePath(values.unixSocket, host),
    aclFile: resolvePath(values.aclFile, host),
    auditKeyFile: resolvePath(values.auditKeyFile, host),
    auditSyslogCaCertFile: resolvePath(values.auditSyslogCaCertFile, host),
    auditSyslogCertFile: resolvePath(values.auditSyslogCertFile, host),
    auditSyslogKeyFile: resolvePath(values.auditSyslogKeyFile, host),
    atRestKeyFile: resolvePath(values.atRestKeyFile, host),
    atRestVaultTokenFile: resolvePath(values.atRestVaultTokenFile, host),
    atRestVaultCaCertFile: resolvePath(values.atRestVaultCaCertFile, host),
    logFormat:
      values.logFormat === "auto" ? (host.isTerminal ? "pretty" : "json") : values.logFormat,
  };
}

function resolvePath(path: string | null, host: HostFacts): string | null {
  return path === null ? null : resolve(host.workingDirectory, path);
}

function outputBufferDefault(): number {
  const parsed = SETTINGS.clientOutputBufferBytesMax.kind.parse(
    SETTINGS.clientOutputBufferBytesMax.defaultText,
  );
  if (!parsed.ok || parsed.value === null)
    throw new Error("the default output buffer limit is not legal");
  return parsed.value;
}

/** Host names can hold characters that a certificate's name can not; such a machine needs node-name to join others. */
function defaultNodeName(hostname: string): string {
  return isNodeName(hostname) ? hostname : "ferrite";
}

/** What the node's own entry in a shared list of peers says is where it listens, unless it was told otherwise. */
function derivePeerPort(
  building: Building,
  peers: { readonly hasPeers: boolean; readonly selfAddress: string | undefined },
): number {
  const { values } = building.collected;
  if (values.peerPort !== null) return values.peerPort;
  const own = parseHostPort(peers.selfAddress ?? "");
  if (own !== null) return own.port;
  if (values.port === 0) return 0;
  const port = values.port + PEER_PORT_OFFSET;
  if (port <= 65535) return port;
  if (peers.hasPeers) {
    building.problems.push({
      setting: "peer-port",
      source: DEFAULT_SOURCE,
      text: `peer-port: would be port + ${PEER_PORT_OFFSET} = ${port}, which is no port; set peer-port`,
    });
  }
  return 0;
}

/** A wildcard is good to listen on and useless to dial: others are told the host name instead. */
function announce(bind: string, port: number, host: HostFacts): string {
  const wildcard = bind === "0.0.0.0" || bind === "::";
  return formatHostPort({ host: wildcard ? host.hostname : bind, port });
}

/** Paths are made absolute here, once; which of them a port uses is said by tls-files.ts. */
function tlsFields(
  building: Building,
): Pick<NodeConfig, "tlsPort" | "tlsBind" | "tlsBindOptional"> & Partial<NodeConfig> {
  const { collected, host } = building;
  const { values, sourceOf } = collected;
  const bind = values.tlsBind ?? values.bind;
  const hasPort = sourceOf("tlsPort") !== DEFAULT_SOURCE;
  const paths: Partial<Record<TlsPath, string | null>> = {};
  for (const field of TLS_PATHS) paths[field] = resolvePath(values[field], host);
  return {
    ...paths,
    tlsPort: hasPort || values.tlsCertFile === null ? values.tlsPort : DEFAULT_TLS_PORT,
    tlsBind: bind.map((entry) => entry.address),
    tlsBindOptional: bind.filter((entry) => entry.optional).map((entry) => entry.address),
  };
}

function exposureWarnings(config: NodeConfig): string[] {
  const open = config.bind.filter((address) => !isLoopback(address));
  // In protected mode nobody is let in from elsewhere without a password.
  if (open.length === 0 || config.requirepass !== "" || config.protectedMode) return [];
  return [
    `protected-mode is off: clients reach this node on ${open.join(", ")} without a password, unless users were given one`,
  ];
}

function isLoopback(address: string): boolean {
  return address === "::1" || address === "localhost" || address.startsWith("127.");
}
