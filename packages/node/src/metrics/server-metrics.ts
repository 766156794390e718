/** What clients do: connections, commands, bytes, errors. */
import type { Registry } from "prom-client";
import type { ServerCounters, ServerView, TlsView } from "../server/edge-context.ts";
import { followCounter, followGauge, followLabelledCounter } from "./running-counter.ts";

const TLS_COUNTERS: readonly (readonly [
  "handshakes" | "plaintextRefusals" | "certificatesClosed",
  string,
  string,
])[] = [
  ["handshakes", "tls_handshakes", "TLS handshakes of clients that were done."],
  ["plaintextRefusals", "tls_required_refusals", "Requests refused because TLS is required."],
  [
    "certificatesClosed",
    "tls_certificates_closed",
    "Connections closed because their certificate was not good any more.",
  ],
];

/** What these metrics read of the server. */
export type ServerMetricsSource = Pick<
  ServerView,
  "counters" | "statistics" | "tls" | "clientCount" | "startedAtMs" | "ferriteVersion"
>;

const COUNTERS: readonly (readonly [keyof ServerCounters, string, string])[] = [
  ["connectionsReceived", "connections_received", "Connections accepted from clients."],
  ["rejectedConnections", "connections_rejected", "Connections refused because of maxclients."],
  ["commandsProcessed", "commands_processed", "Commands carried out."],
  ["netInputBytes", "network_input_bytes", "Bytes received from clients."],
  ["netOutputBytes", "network_output_bytes", "Bytes sent to clients."],
  ["keyspaceHits", "keyspace_hits", "Reads that found their key."],
  ["keyspaceMisses", "keyspace_misses", "Reads that did not find their key."],
  ["expiredKeys", "keyspace_expired_keys", "Keys removed because their time was over."],
  ["errorReplies", "error_replies", "Replies that were errors."],
  ["protocolErrors", "protocol_errors", "Connections closed because of malformed input."],
];

export function registerServerMetrics(registry: Registry, server: ServerMetricsSource): void {
  for (const [field, name, help] of COUNTERS) {
    followCounter(registry, { name: `ferrite_${name}_total`, help }, () => server.counters[field]);
  }
  followGauge(
    registry,
    { name: "ferrite_connected_clients", help: "Clients connected now." },
    () => server.clientCount,
  );
  followGauge(
    registry,
    { name: "ferrite_start_time_seconds", help: "When the server was started, Unix time." },
    () => server.startedAtMs / 1000,
  );
  followLabelledCounter(registry, {
    name: "ferrite_command_calls_total",
    help: "Calls by command. Commands are those of the command table.",
    label: "command",
    read: () =>
      server.statistics.commands().map((command) => [command.name, command.calls] as const),
  });
  followLabelledCounter(registry, {
    name: "ferrite_command_failures_total",
    help: "Calls answered with an error, refused ones included, by command.",
    label: "command",
    read: () =>
      server.statistics
        .commands()
        .map((command) => [command.name, command.failedCalls + command.rejectedCalls] as const),
  });
  registerTlsMetrics(registry, server.tls);
  followLabelledCounter(registry, {
    name: "ferrite_errors_total",
    help: "Error replies by code word.",
    label: "code",
    read: () => server.statistics.errors(),
  });
}

function registerTlsMetrics(registry: Registry, tls: TlsView): void {
  for (const [field, name, help] of TLS_COUNTERS) {
    followCounter(registry, { name: `ferrite_${name}_total`, help }, () => tls[field]);
  }
  followGauge(
    registry,
    { name: "ferrite_tls_connected_clients", help: "Clients connected over TLS now." },
    () => tls.connectedClients,
  );
  followLabelledCounter(registry, {
    name: "ferrite_tls_handshake_failures_total",
    help: "TLS handshakes of clients that came to nothing, by reason.",
    label: "reason",
    read: () => tls.failuresByReason(),
  });
}
