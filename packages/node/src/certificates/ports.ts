/** What the certificates of a node are given from outside: a voice, time, and files. */

/** The part of pino's logger that is used here: fields first, then a constant sentence. */
export interface CertificateLogger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export interface CertificateClock {
  /** Unix ms. */
  nowMs(): number;
  /** Runs `run` once after `delayMs`; the returned function calls it off. */
  after(delayMs: number, run: () => void): () => void;
}

export interface ReadBytes {
  readonly bytes: Buffer;
  /** Whether every user of the machine may read it. */
  readonly isReadableByOthers: boolean;
}

export interface CertificateFiles {
  /** @throws Node's own error with its code (ENOENT, EACCES, EISDIR), FileTooLarge beyond `bytesMax`. */
  read(path: string, bytesMax: number): Promise<ReadBytes>;
  /** Names in a directory. @throws Node's own error. */
  names(directory: string): Promise<readonly string[]>;
  /**
   * Calls `onChange` when something happens in a directory on the way to one of the files, links included, until the
   * returned function is called. Paths that can not be watched are left to the interval.
   */
  watch(paths: readonly string[], onChange: () => void): () => void;
}

/** A file has more bytes than are read of it. */
export class FileTooLarge extends Error {
  override readonly name = "FileTooLarge";
}

export interface CertificatePorts {
  readonly logger: CertificateLogger;
  readonly clock: CertificateClock;
  readonly files: CertificateFiles;
}
