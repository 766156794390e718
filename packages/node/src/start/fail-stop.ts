/**
 * Calls into the replica from links, timers and the disk. One that throws has met a defect or a broken invariant: nothing
 * is known of the state behind it, so the replica is not called again and the node stops in order. Left to itself the
 * exception would end the whole process, which may be somebody else's.
 */
import type { LogWrite, LogWriter } from "@ferrite/storage";
import type { TransportEvents } from "../replica/transport.ts";

export class FailStop {
  readonly #onFailed: (error: Error) => void;
  #hasFailed = false;

  /** `onFailed` is called once, with what was thrown. */
  constructor(onFailed: (error: Error) => void) {
    this.#onFailed = onFailed;
  }

  /** Makes one call, unless an earlier one has thrown. */
  run(call: () => void): void {
    if (this.#hasFailed) return;
    try {
      call();
    } catch (error) {
      this.#hasFailed = true;
      this.#onFailed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** What links tell. */
  events(replica: TransportEvents): TransportEvents {
    return {
      onPayload: (from, payload, senderTimeMs) =>
        this.run(() => replica.onPayload(from, payload, senderTimeMs)),
      onConnected: (peer) => this.run(() => replica.onConnected(peer)),
      onDisconnected: (peer, reason) => this.run(() => replica.onDisconnected(peer, reason)),
    };
  }

  /** The log, whose answers go to the replica. */
  log(writer: LogWriter): LogWriter {
    return {
      submit: (write: LogWrite, onDurable) => writer.submit(write, () => this.run(onDurable)),
      reset: (position, onDurable) => writer.reset(position, () => this.run(onDurable)),
      compact: (index) => writer.compact(index),
      close: (onClosed) => writer.close(onClosed),
    };
  }
}
