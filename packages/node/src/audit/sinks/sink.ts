/** Where records go besides the files. */
import type { SealedRecord } from "../chain.ts";

export interface Receiver {
  /** In metrics and records: "syslog", "otlp". */
  readonly name: string;
  /**
   * Resolves when the receiver has the batch, with the number of its records that it threw away. Rejects otherwise: with
   * BatchRefused when it will never take the batch as it is.
   */
  deliver(batch: readonly SealedRecord[]): Promise<number>;
  close(): Promise<void>;
}

/** The receiver understood the batch and does not want it: sending it again changes nothing. */
export class BatchRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BatchRefused";
  }
}
