/** INFO memory: used_memory is what the process holds in its heap and outside of it, the keyspace included. */
import type { ServerView } from "../../server/edge-context.ts";
import { humanBytes } from "./human-bytes.ts";
import type { InfoLine } from "./info-sections.ts";

export function memoryLines(server: ServerView): readonly InfoLine[] {
  const used = server.process.usedBytes();
  const peak = server.process.peakUsedBytes();
  const resident = server.process.residentBytes();
  const dataset = server.replica.keyspace.usedBytes;
  const limit = Number(server.settings.get("maxmemory") ?? 0);
  let clientBytes = 0;
  for (const client of server.clients()) {
    clientBytes += client.queryBufferBytes() + client.outputBufferBytes();
  }
  return [
    ["used_memory", used],
    ["used_memory_human", humanBytes(used)],
    ["used_memory_rss", resident],
    ["used_memory_rss_human", humanBytes(resident)],
    ["used_memory_peak", peak],
    ["used_memory_peak_human", humanBytes(peak)],
    ["used_memory_peak_perc", percent(used, peak)],
    ["used_memory_overhead", Math.max(0, used - dataset)],
    ["used_memory_dataset", dataset],
    ["used_memory_dataset_perc", percent(dataset, used)],
    ["total_system_memory", server.process.totalSystemBytes],
    ["total_system_memory_human", humanBytes(server.process.totalSystemBytes)],
    ["maxmemory", limit],
    ["maxmemory_human", humanBytes(limit)],
    ["maxmemory_policy", "noeviction"],
    ["mem_fragmentation_ratio", (used === 0 ? 0 : resident / used).toFixed(2)],
    ["mem_fragmentation_bytes", resident - used],
    ["mem_clients_normal", clientBytes],
    ["mem_clients_slaves", 0],
    ["mem_allocator", "arena"],
    ["active_defrag_running", 0],
    ["lazyfree_pending_objects", 0],
  ];
}

function percent(part: number, whole: number): string {
  return `${(whole === 0 ? 0 : (part * 100) / whole).toFixed(2)}%`;
}
