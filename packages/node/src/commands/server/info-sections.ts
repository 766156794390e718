/** The sections of INFO in the order Redis prints them, ours last but one. */
import type { ServerView } from "../../server/edge-context.ts";
import { certificateLines } from "./info-certificates.ts";
import { clientLines } from "./info-clients.ts";
import { commandLines, errorLines } from "./info-command-statistics.ts";
import { keyspaceLines } from "./info-keyspace.ts";
import { memoryLines } from "./info-memory.ts";
import { persistenceLines } from "./info-persistence.ts";
import { processorLines } from "./info-processor.ts";
import { raftLines } from "./info-raft.ts";
import { replicationLines } from "./info-replication.ts";
import { securityLines } from "./info-security.ts";
import { serverLines } from "./info-server.ts";
import { statisticsLines } from "./info-statistics.ts";

export type InfoLine = readonly [name: string, value: string | number | bigint];

export interface InfoSection {
  /** As clients ask for it, lower case. */
  readonly name: string;
  readonly title: string;
  /** Whether INFO without arguments prints it. */
  readonly isDefault: boolean;
  readonly lines: (server: ServerView) => readonly InfoLine[];
}

export const INFO_SECTIONS: readonly InfoSection[] = [
  section("Server", serverLines),
  section("Clients", clientLines),
  section("Memory", memoryLines),
  section("Persistence", persistenceLines),
  section("Stats", statisticsLines),
  section("Replication", replicationLines),
  section("CPU", processorLines),
  section("Modules", () => []),
  { name: "commandstats", title: "Commandstats", isDefault: false, lines: commandLines },
  section("Errorstats", errorLines),
  // Clients must not look for slots and redirections: every node serves every key.
  section("Cluster", () => [["cluster_enabled", 0]]),
  section("Raft", raftLines),
  section("Security", securityLines),
  section("Certificates", certificateLines),
  section("Keyspace", keyspaceLines),
];

function section(title: string, lines: InfoSection["lines"]): InfoSection {
  return { name: title.toLowerCase(), title, isDefault: true, lines };
}
