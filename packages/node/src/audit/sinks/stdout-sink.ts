/** Records as lines on standard output, for those who collect what a container prints. */
import type { Writable } from "node:stream";
import type { SealedRecord } from "../chain.ts";
import type { Receiver } from "./sink.ts";

export class StdoutSink implements Receiver {
  readonly name = "stdout";
  readonly #output: Pick<Writable, "write">;

  constructor(output: Pick<Writable, "write">) {
    this.#output = output;
  }

  deliver(batch: readonly SealedRecord[]): Promise<number> {
    const bytes = Buffer.concat(batch.map(({ line }) => line));
    return new Promise((resolve, reject) => {
      this.#output.write(bytes, (error) => (error ? reject(error) : resolve(0)));
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
