/** Settings that are legal alone and do not fit together. CONFIG SET runs the same checks before it changes anything. */
import { checkAtRest } from "./at-rest-settings.ts";
import type { ConfigProblem } from "./config-error.ts";
import { formatBytes } from "./value-kinds.ts";
import { parseHostPort } from "./host-port.ts";
import type { NodeConfig } from "./node-config.ts";
import { clientTlsFiles, peerTlsFiles } from "./tls-files.ts";
import { PEER_FRAME_OVERHEAD_BYTES, SETTINGS, type SettingField } from "./schema.ts";

/** Heartbeats that may be lost before a follower believes that the leader is gone. */
const HEARTBEATS_PER_ELECTION_MIN = 3;

/** Every pair of settings that does not fit. `sourceOf` says where a value was given. */
export function crossCheck(
  config: NodeConfig,
  sourceOf: (field: SettingField) => string,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const report = (field: SettingField, text: string): void => {
    const { name } = SETTINGS[field];
    problems.push({ setting: name, source: sourceOf(field), text: `${name}: ${text}` });
  };
  const electionMinMs = config.heartbeatIntervalMs * HEARTBEATS_PER_ELECTION_MIN;
  if (config.electionTimeoutMs < electionMinMs) {
    report(
      "electionTimeoutMs",
      `must be at least ${HEARTBEATS_PER_ELECTION_MIN} times heartbeat-interval-ms, that is ${electionMinMs}`,
    );
  }
  const bulkMax = config.peerFrameBytesMax - PEER_FRAME_OVERHEAD_BYTES;
  if (config.protoMaxBulkBytes > bulkMax) {
    report(
      "protoMaxBulkBytes",
      `must be at most peer-frame-bytes-max less ${formatBytes(PEER_FRAME_OVERHEAD_BYTES)}, that is ${bulkMax}`,
    );
  }
  if (config.clientQueryBufferBytesMax < config.protoMaxBulkBytes) {
    report("clientQueryBufferBytesMax", "must be at least proto-max-bulk-len");
  }
  checkPorts(config, report);
  checkTls(config, report);
  checkAtRest(config, report);
  if (config.peers.length > 0) checkPeers(config, report);
  if (hasPeerPort(config)) checkPeerTls(config, report);
  return problems;
}

type Report = (field: SettingField, text: string) => void;

/** TLS that was asked for and can not be is an error, never a port that is silently not there. */
function checkTls(config: NodeConfig, report: Report): void {
  const files = clientTlsFiles(config);
  if (files === null && (config.tlsCertFile !== null || config.tlsKeyFile !== null)) {
    const missing: SettingField = config.tlsCertFile === null ? "tlsCertFile" : "tlsKeyFile";
    report(missing, "is missing: a certificate and its key belong together");
  }
  if (files === null) {
    const forgotten = config.tlsCertFile === null && config.tlsKeyFile === null;
    if (forgotten && config.tlsPort !== null && config.tlsPort !== 0) {
      report("tlsPort", "needs tls-cert-file and tls-key-file");
    }
    if (config.httpTls) report("httpTls", "needs tls-cert-file and tls-key-file");
  }
  if (config.requireTls && (files === null || config.tlsPort === null)) {
    report(
      "requireTls",
      "needs a tls-port with tls-cert-file and tls-key-file, or nobody could get in",
    );
  }
  const hasAuthorities = config.tlsCaCertFile !== null || config.tlsCaCertDirectory !== null;
  const asked = hasAuthorities && config.tlsAuthClients !== "no";
  if (config.tlsAuthClientsUser !== "off" && !asked) {
    report(
      "tlsAuthClientsUser",
      "needs certificates of clients: set tls-ca-cert-file, and tls-auth-clients yes or optional",
    );
  }
  if ((config.auditSyslogCertFile === null) !== (config.auditSyslogKeyFile === null)) {
    const isCertMissing = config.auditSyslogCertFile === null;
    report(
      isCertMissing ? "auditSyslogCertFile" : "auditSyslogKeyFile",
      "is missing: a certificate and its key belong together",
    );
  }
  if (config.tlsCrlFile !== null && !hasAuthorities) {
    report("tlsCrlFile", "needs tls-ca-cert-file: revocation lists are signed by the authorities");
  }
}

/** With peers, and where others may join a cluster of one. */
function hasPeerPort(config: NodeConfig): boolean {
  return config.peers.length > 0 || config.peerTlsCertFile !== null;
}

function checkPeerTls(config: NodeConfig, report: Report): void {
  const files = peerTlsFiles(config);
  if (files !== null && (files.caFile !== null || files.caDirectory !== null)) return;
  const missing = [
    ["peerTlsCertFile", config.peerTlsCertFile ?? config.tlsCertFile],
    ["peerTlsKeyFile", config.peerTlsKeyFile ?? config.tlsKeyFile],
    ["peerTlsCaCertFile", files?.caFile ?? config.peerTlsCaCertFile ?? config.tlsCaCertFile],
  ].flatMap(([field, value]) => (value === null ? [field as SettingField] : []));
  if (config.peers.length === 0) {
    const names = missing.map((field) => SETTINGS[field].name).join(", ");
    report("peerTlsCertFile", `is set, so that other nodes may join; missing: ${names}`);
    return;
  }
  report(
    "peers",
    "are set, and nodes talk to each other over mutual TLS only; missing: " +
      `${missing.map((field) => SETTINGS[field].name).join(", ")}. Make certificates with ` +
      `\`ferrite certs init\` and \`ferrite certs node ${config.nodeName}\`, then set them`,
  );
}

function checkPorts(config: NodeConfig, report: Report): void {
  if (config.port !== 0 && config.port === config.httpPort) {
    report("httpPort", `is the same as port (${config.port})`);
  }
  if (config.tlsPort !== null && config.tlsPort !== 0) {
    if (config.tlsPort === config.port) report("tlsPort", `is the same as port (${config.port})`);
    if (config.tlsPort === config.httpPort) {
      report("tlsPort", `is the same as http-port (${config.tlsPort})`);
    }
  }
  if (!hasPeerPort(config) || config.peerPort === 0) return;
  if (config.peerPort === config.tlsPort) {
    report("peerPort", `is the same as tls-port (${config.tlsPort})`);
  }
  if (config.peerPort === config.port) report("peerPort", `is the same as port (${config.port})`);
  if (config.peerPort === config.httpPort) {
    report("peerPort", `is the same as http-port (${config.peerPort})`);
  }
}

function checkPeers(config: NodeConfig, report: Report): void {
  for (const peer of config.peers) {
    if (parseHostPort(peer.address)?.port === 0) {
      report("peers", `${peer.name} has port 0; the port of a peer must be known`);
    }
    if (peer.address === config.peerAnnounce) {
      report("peers", `${peer.name} has this node's own address ${peer.address}`);
    }
  }
}
