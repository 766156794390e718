/** What a development cluster consists of: names, ports, folders and the configuration file of each node. Pure. */
import { join } from "node:path";
import type { FlagValue } from "@ferrite/node/config";
import { CliError } from "../errors.ts";

export const BASE_PORT_DEFAULT = 6379;
export const DATA_DIRECTORY_DEFAULT = ".ferrite";
export const NODE_COUNTS: readonly number[] = [1, 3, 5];

/** Between the nodes of one cluster. */
const PORT_STEP = 100;
/** From the RESP port to the one with TLS: 6380 for 6379. */
const TLS_OFFSET = 1;
/** From the RESP port to the port for peers, as in Redis Cluster. */
const PEER_OFFSET = 10_000;
/** From the RESP port to the HTTP port: 8080 for 6379. */
const HTTP_OFFSET = 1701;
const PORT_MAX = 65_535;

export interface DevOptions {
  readonly nodes: number;
  readonly basePort: number;
  /** Absolute, or relative to where the program runs. */
  readonly dataDirectory: string;
  /** Whether clients can come over TLS too. Nodes speak nothing else to each other. */
  readonly tls: boolean;
  /** Further settings, for every node. */
  readonly settings: readonly FlagValue[];
}

export interface PlannedNode {
  readonly name: string;
  readonly port: number;
  /** Null without TLS for clients. */
  readonly tlsPort: number | null;
  readonly peerPort: number;
  readonly httpPort: number;
  readonly directory: string;
  readonly configFile: string;
  readonly logFile: string;
}

/** Throws CliError when the options give ports that do not exist. */
export function planCluster(options: DevOptions): readonly PlannedNode[] {
  const { nodes, basePort, dataDirectory, tls } = options;
  const highest = basePort + (nodes - 1) * PORT_STEP + PEER_OFFSET;
  if (basePort < 1 || highest > PORT_MAX) {
    const max = PORT_MAX - PEER_OFFSET - (nodes - 1) * PORT_STEP;
    throw new CliError(
      "badArgument",
      `--base-port must be from 1 to ${max} for ${nodes} nodes, since the peers' ports are ${PEER_OFFSET} higher`,
    );
  }
  return Array.from({ length: nodes }, (_, at) => {
    const name = `node${at + 1}`;
    const port = basePort + at * PORT_STEP;
    return {
      name,
      port,
      tlsPort: tls ? port + TLS_OFFSET : null,
      peerPort: port + PEER_OFFSET,
      httpPort: port + HTTP_OFFSET,
      directory: join(dataDirectory, name),
      configFile: join(dataDirectory, `${name}.conf`),
      logFile: join(dataDirectory, `${name}.log`),
    };
  });
}

export interface CertificatePaths {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** The text of a node's configuration file. A cluster of one has no peers, and certificates only for clients. */
export function configText(
  node: PlannedNode,
  cluster: {
    readonly nodes: readonly PlannedNode[];
    readonly certificates: CertificatePaths | null;
    readonly settings: readonly FlagValue[];
  },
): string {
  const { nodes, certificates, settings } = cluster;
  const lines = [
    ["node-name", node.name],
    ["dir", node.directory],
    ["port", String(node.port)],
    ["http-port", String(node.httpPort)],
  ];
  if (certificates !== null && node.tlsPort !== null) {
    lines.push(
      ["tls-port", String(node.tlsPort)],
      ["tls-cert-file", certificates.certFile],
      ["tls-key-file", certificates.keyFile],
      ["tls-ca-cert-file", certificates.caFile],
      // Whoever tries TLS out has no certificate yet.
      ["tls-auth-clients", "optional"],
    );
  }
  if (certificates !== null && nodes.length > 1) {
    const peers = nodes.map((peer) => `${peer.name}=127.0.0.1:${peer.peerPort}`);
    lines.push(
      ["peer-port", String(node.peerPort)],
      ["peers", peers.join(",")],
      ["peer-tls-cert-file", certificates.certFile],
      ["peer-tls-key-file", certificates.keyFile],
      ["peer-tls-ca-cert-file", certificates.caFile],
    );
  }
  for (const { name, value } of settings) lines.push([name, value]);
  return [
    "# Written by `ferrite dev` at every start; changes here are lost.",
    ...lines.map(([name, value]) => `${name} ${quoted(value ?? "")}`),
    "",
  ].join("\n");
}

/** Quotes what would not be one plain word, byte for byte as the file's syntax reads it. */
function quoted(value: string): string {
  if (/^[\w./:=,@+-]+$/.test(value)) return value;
  // oxlint-disable-next-line no-control-regex -- control characters are what has to be escaped
  return `"${value.replaceAll(/[\u0000-\u001f"\\]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x20 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\${character}`;
  })}"`;
}
