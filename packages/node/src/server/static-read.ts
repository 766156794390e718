/**
 * Reading into one static buffer. A Node socket normally gets a fresh buffer for every read; with `onread` the kernel
 * writes into a buffer of ours, one for all clients, which saves an allocation per read.
 *
 * `onread` is documented for sockets that connect. For accepted ones there is a way that Node does not document: a new
 * `Socket` around the accepted one's handle. So every step is checked, `null` means that the way is closed, and the
 * caller reads by "data" events instead. A test notices when that happens.
 */
import { Socket } from "node:net";
import type { Server } from "node:net";

/** What is needed of Node's internals. */
interface AcceptedInternals {
  _handle: { useUserBuffer?: unknown; readStart?: unknown } | null;
  _server?: Server | null;
}

/**
 * Takes over the connection of `accepted`, which must be paused since it was accepted (`pauseOnConnect`) and must not
 * be used afterwards. `onBytes` gets the number of bytes that lie at the start of `buffer` until it returns.
 */
export function readIntoStaticBuffer(
  accepted: Socket,
  buffer: Buffer,
  onBytes: (socket: Socket, length: number) => void,
): Socket | null {
  const internals = accepted as unknown as AcceptedInternals;
  const handle = internals._handle;
  if (handle === null || typeof handle !== "object") return null;
  if (typeof handle.useUserBuffer !== "function" || internals._server === undefined) return null;
  const server = internals._server;
  const options = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer,
      callback: (length: number): boolean => {
        onBytes(socket, length);
        return true;
      },
    },
  };
  // The server counts its connections by this field; without it, it would never finish closing.
  internals._handle = null;
  internals._server = null;
  const socket = new Socket(options);
  (socket as unknown as AcceptedInternals)._server = server ?? null;
  return socket;
}
