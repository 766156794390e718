/** What INFO says about the process, read from the operating system. */
import { arch, platform, release, totalmem, type } from "node:os";
import type { ProcessFacts } from "./edge-context.ts";

/** The facts of this process. */
export function currentProcessFacts(): ProcessFacts {
  return {
    processId: process.pid,
    operatingSystem: `${type()} ${release()} ${machineName(arch())}`,
    architectureBits: arch() === "ia32" || arch() === "arm" ? 32 : 64,
    executable: process.execPath,
    nodeVersion: `${process.versions.node} (${platform()})`,
    totalSystemBytes: totalmem(),
    residentBytes: () => process.memoryUsage.rss(),
    usedBytes: () => {
      const usage = process.memoryUsage();
      return usage.heapUsed + usage.external;
    },
    cpuUserSeconds: () => process.cpuUsage().user / 1e6,
    cpuSystemSeconds: () => process.cpuUsage().system / 1e6,
  };
}

/** The names uname prints. */
function machineName(name: string): string {
  if (name === "x64") return "x86_64";
  return name === "arm64" ? "aarch64" : name;
}
