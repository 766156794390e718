import { statfsSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** Programs that wanted to run in the minute before, on average. */
  readonly loadAverage: number;
  readonly dataFolderInMemory: boolean;
}

const TMPFS_MAGIC = 0x01021994;
const RAMFS_MAGIC = 0x858458f6;

/** What the numbers were measured on. */
export function describeMachine(dataFolder: string): Machine {
  const fileSystem = statfsSync(dataFolder).type;
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version,
    loadAverage: loadavg()[0],
    dataFolderInMemory: fileSystem === TMPFS_MAGIC || fileSystem === RAMFS_MAGIC,
  };
}
