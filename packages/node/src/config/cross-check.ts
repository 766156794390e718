/** Settings that are legal alone and do not fit together. CONFIG SET runs the same checks before it changes anything. */
import type { ConfigProblem } from "./config-error.ts";
import { formatBytes } from "./value-kinds.ts";
import { parseHostPort } from "./host-port.ts";
import type { NodeConfig } from "./node-config.ts";
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
  if (config.peers.length > 0) checkPeers(config, report);
  return problems;
}

type Report = (field: SettingField, text: string) => void;

function checkPorts(config: NodeConfig, report: Report): void {
  if (config.port !== 0 && config.port === config.httpPort) {
    report("httpPort", `is the same as port (${config.port})`);
  }
  if (config.peers.length === 0 || config.peerPort === 0) return;
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
