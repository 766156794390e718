/** The machine's files and clock, as ports.ts wants them. */
import { constants, watch, type FSWatcher } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { basename } from "node:path";
import {
  FileTooLarge,
  type CertificateClock,
  type CertificateFiles,
  type CertificateLogger,
  type CertificatePorts,
  type ReadBytes,
} from "./ports.ts";
import { watchPoints } from "./watch-points.ts";

const READABLE_BY_OTHERS = 0o004;

/** Its timers do not keep the process alive. */
const systemCertificateClock: CertificateClock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export function systemCertificatePorts(logger: CertificateLogger): CertificatePorts {
  const files: CertificateFiles = {
    read,
    names: (directory) => readdir(directory),
    watch: (paths, onChange) => watchPaths(paths, onChange, logger),
  };
  return { logger, clock: systemCertificateClock, files };
}

/** Without waiting for a writer where the path turns out to be a pipe. */
async function read(path: string, bytesMax: number): Promise<ReadBytes> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = await file.stat();
    if (facts.isDirectory()) throw systemError("EISDIR", "it is a directory");
    if (!facts.isFile()) throw systemError("EINVAL", "it is not a file");
    if (facts.size > bytesMax) throw new FileTooLarge(path);
    const bytes = await file.readFile();
    if (bytes.length > bytesMax) throw new FileTooLarge(path);
    return { bytes, isReadableByOthers: (facts.mode & READABLE_BY_OTHERS) !== 0 };
  } finally {
    await file.close();
  }
}

function systemError(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}

/** A directory that can not be watched (it is not there, the system's watches are used up) is left to the interval. */
function watchPaths(
  paths: readonly string[],
  onChange: () => void,
  logger: CertificateLogger,
): () => void {
  const watchers: FSWatcher[] = [];
  for (const [directory, names] of watchPoints(paths)) {
    const unwatched = (error: unknown): void => {
      logger.debug({ directory, error }, "can not watch a directory of certificates");
    };
    try {
      const own = basename(directory);
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        // Its own name is that of a directory that is gone.
        if (name === null || names === "all" || names.has(name) || name === own) onChange();
      });
      watcher.on("error", (error) => {
        unwatched(error);
        watcher.close();
      });
      watchers.push(watcher);
    } catch (error) {
      unwatched(error);
    }
  }
  return () => {
    for (const watcher of watchers) watcher.close();
  };
}
