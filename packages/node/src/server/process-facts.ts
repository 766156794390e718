/** What INFO says about the process, read from the operating system. */
import { arch, platform, release, totalmem, type } from "node:os";
import type { ProcessFacts } from "./edge-context.ts";

/** The facts of this process. */
export function currentProcessFacts(): ProcessFacts {
  let peakBytes = 0;
  const usedBytes = (): number => {
    const usage = process.memoryUsage();
    const bytes = usage.heapUsed + usage.external;
    peakBytes = Math.max(peakBytes, bytes);
    return bytes;
  };
  return {
    processId: process.pid,
    operatingSystem: `${type()} ${release()} ${machineName(arch())}`,
    architectureBits: arch() === "ia32" || arch() === "arm" ? 32 : 64,
    executable: process.execPath,
    nodeVersion: `${process.versions.node} (${platform()})`,
    totalSystemBytes: totalmem(),
    residentBytes: () => process.memoryUsage.rss(),
    usedBytes,
    peakUsedBytes: () => Math.max(peakBytes, usedBytes()),
    cpuUserSeconds: () => process.cpuUsage().user / 1e6,
    cpuSystemSeconds: () => process.cpuUsage().system / 1e6,
  };
}

/** The names uname prints. */
function machineName(name: string): string {
  if (name === "x64") return "x86_64";
  return name === "arm64" ? "aarch64" : name;
}
