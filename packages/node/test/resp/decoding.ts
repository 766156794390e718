/** Feeds bytes to a decoder the way sockets do, and notes what comes out. */
import { Argv } from "../../src/resp/argv.ts";
import { Decoder, NEED_MORE, PROTOCOL_ERROR } from "../../src/resp/decoder.ts";

export interface Outcome {
  /** Requests in order, arguments as latin1. Empty requests are left out. */
  readonly requests: readonly (readonly string[])[];
  /** The protocol error that ended the stream, or null. */
  readonly error: string | null;
  /** Bytes behind the last complete request. */
  readonly rest: number;
}

/** Everything at once. */
export function decodeWhole(text: string | Buffer, decoder: Decoder = new Decoder()): Outcome {
  const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
  return decodePieces([bytes], decoder);
}

/** One byte at a time. */
export function decodeByteByByte(text: string, decoder: Decoder = new Decoder()): Outcome {
  const bytes = Buffer.from(text, "latin1");
  return decodePieces(
    Array.from(bytes, (byte) => Buffer.from([byte])),
    decoder,
  );
}

/**
 * In the pieces given. The unfinished request moves to a new buffer, at another offset, before every call: whatever
 * the decoder keeps must survive that.
 */
export function decodePieces(pieces: readonly Buffer[], decoder: Decoder): Outcome {
  const argv = new Argv();
  const requests: string[][] = [];
  let pending = Buffer.alloc(0);
  let shift = 0;
  for (const piece of pieces) {
    shift = (shift + 7) % 31;
    const buffer = Buffer.concat([Buffer.alloc(shift, 0x2a), pending, piece]);
    let from = shift;
    for (;;) {
      const end = decoder.decode(buffer, from, buffer.length, argv);
      if (end === PROTOCOL_ERROR) {
        return { requests, error: decoder.errorText, rest: buffer.length - from };
      }
      if (end === NEED_MORE) break;
      if (argv.count > 0) {
        requests.push(Array.from({ length: argv.count }, (_, index) => argv.latin1(index)));
      }
      from = end;
      // What one connection left in the shared arguments must not matter to the next.
      argv.reset(buffer);
    }
    pending = buffer.subarray(from);
  }
  return { requests, error: null, rest: pending.length };
}
