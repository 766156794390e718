/**
 * What a connection needs of the stream to its client. A socket is one; so is whatever a simulation puts in its place.
 */
export interface ByteStream {
  /** Bytes that were written and that the other side has not taken. */
  readonly writableLength: number;
  on(event: "data", listener: (bytes: Buffer) => void): unknown;
  /** The client closed its side: `end`. Both sides are closed: `close`. */
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  /** `done` is called when the bytes were taken, or can not be any more. */
  write(bytes: Uint8Array, done: (error?: Error | null) => void): unknown;
  /** Closes this side behind what was written. */
  end(): unknown;
  destroy(): unknown;
  pause(): unknown;
  resume(): unknown;
}
