import { KeyspaceError } from "./errors.ts";
import type { SnapshotReader } from "./snapshot-reader.ts";

/** A restore in progress: passes bytes on until one is refused, and then leaves nothing behind. */
export class RestoreSession {
  readonly #reader: SnapshotReader;
  readonly #onFailure: () => void;
  #open = true;

  /** `onFailure` empties the keyspace: half a state must never be served. */
  constructor(reader: SnapshotReader, onFailure: () => void) {
    this.#reader = reader;
    this.#onFailure = onFailure;
  }

  /** Takes the next bytes. Throws RESTORE_MALFORMED, and RESTORE_CLOSED after a failure or the end. */
  write(bytes: Uint8Array): void {
    this.#guarded(() => this.#reader.write(bytes));
  }

  /** Throws RESTORE_MALFORMED when bytes are missing. */
  end(): void {
    this.#guarded(() => this.#reader.end());
    this.#open = false;
  }

  #guarded(work: () => void): void {
    if (!this.#open) {
      throw new KeyspaceError("RESTORE_CLOSED", "this restore has ended or failed");
    }
    try {
      work();
    } catch (error) {
      this.#open = false;
      this.#onFailure();
      throw error;
    }
  }
}
