/** INFO clients */
import type { ServerView } from "../../server/edge-context.ts";
import type { InfoLine } from "./info-sections.ts";

export function clientLines(server: ServerView): readonly InfoLine[] {
  let blocked = 0;
  let inputBytesMax = 0;
  let outputBytesMax = 0;
  for (const client of server.clients()) {
    if (client.isBlocked) blocked++;
    inputBytesMax = Math.max(inputBytesMax, client.queryBufferBytes());
    outputBytesMax = Math.max(outputBytesMax, client.outputBufferBytes());
  }
  return [
    ["connected_clients", server.clientCount],
    ["cluster_connections", 0],
    ["maxclients", server.settings.get("maxclients") ?? 0],
    ["client_recent_max_input_buffer", inputBytesMax],
    ["client_recent_max_output_buffer", outputBytesMax],
    ["blocked_clients", blocked],
    ["tracking_clients", 0],
    ["clients_in_timeout_table", 0],
    ["tls_connected_clients", server.tls.connectedClients],
  ];
}
