/** INFO server */
import type { ServerView } from "../../server/edge-context.ts";
import { REDIS_VERSION } from "../redis-version.ts";
import type { InfoLine } from "./info-sections.ts";

const SECONDS_PER_DAY = 86_400;
/** Redis' LRU clock: seconds in 24 bits. */
const LRU_CLOCK_MASK = 0xffffff;

export function serverLines(server: ServerView): readonly InfoLine[] {
  const nowMs = server.nowMs();
  const uptimeSeconds = Math.max(0, Math.floor((nowMs - server.startedAtMs) / 1000));
  const facts = server.process;
  return [
    ["redis_version", REDIS_VERSION],
    ["redis_git_sha1", "00000000"],
    ["redis_git_dirty", 0],
    ["redis_build_id", "0"],
    ["redis_mode", "standalone"],
    ["os", facts.operatingSystem],
    ["arch_bits", facts.architectureBits],
    ["monotonic_clock", "POSIX clock_gettime"],
    ["multiplexing_api", "libuv"],
    ["process_id", facts.processId],
    ["process_supervised", "no"],
    ["run_id", server.runId],
    ["tcp_port", server.tcpPort],
    ["server_time_usec", server.nowMicroseconds()],
    ["uptime_in_seconds", uptimeSeconds],
    ["uptime_in_days", Math.floor(uptimeSeconds / SECONDS_PER_DAY)],
    ["hz", 10],
    ["configured_hz", 10],
    ["lru_clock", Math.floor(nowMs / 1000) & LRU_CLOCK_MASK],
    ["executable", facts.executable],
    ["config_file", ""],
    ["io_threads_active", 0],
    ["ferrite_version", server.ferriteVersion],
    ["ferrite_feature_level", server.replica.membership.featureLevel()],
    ["node_version", facts.nodeVersion],
  ];
}
