/** INFO stats */
import type { ServerView } from "../../server/edge-context.ts";
import type { InfoLine } from "./info-sections.ts";

export function statisticsLines({ counters, statistics, tls }: ServerView): readonly InfoLine[] {
  return [
    ["total_connections_received", counters.connectionsReceived],
    ["total_commands_processed", counters.commandsProcessed],
    ["instantaneous_ops_per_sec", statistics.instantaneousOperationsPerSecond],
    ["total_net_input_bytes", counters.netInputBytes],
    ["total_net_output_bytes", counters.netOutputBytes],
    ["instantaneous_input_kbps", statistics.instantaneousInputKilobytesPerSecond.toFixed(2)],
    ["instantaneous_output_kbps", statistics.instantaneousOutputKilobytesPerSecond.toFixed(2)],
    ["rejected_connections", counters.rejectedConnections],
    ["sync_full", 0],
    ["sync_partial_ok", 0],
    ["sync_partial_err", 0],
    ["expired_keys", counters.expiredKeys],
    ["evicted_keys", 0],
    ["evicted_clients", 0],
    ["keyspace_hits", counters.keyspaceHits],
    ["keyspace_misses", counters.keyspaceMisses],
    ["pubsub_channels", 0],
    ["pubsub_patterns", 0],
    ["pubsubshard_channels", 0],
    ["latest_fork_usec", 0],
    ["total_forks", 0],
    ["tracking_total_keys", 0],
    ["tracking_total_items", 0],
    ["tracking_total_prefixes", 0],
    ["total_error_replies", counters.errorReplies],
    ["protocol_errors", counters.protocolErrors],
    ["tls_handshakes", tls.handshakes],
    ["tls_handshake_failures", tls.handshakeFailures],
    ["tls_required_refusals", tls.plaintextRefusals],
    ["tls_certificates_closed", tls.certificatesClosed],
  ];
}
