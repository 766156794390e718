/**
 * Reading TLS connections into the buffer that all clients share, as static-read.ts does for plain ones: what OpenSSL has
 * decrypted is copied there, without a buffer and a stream chunk of its own for each read.
 *
 * For a socket that connects this is the option `onread`; a TLS socket around an accepted connection ignores that option.
 * So the fields that the option fills are filled here. Node does not document them: each is looked for first, `false`
 * means that something is different, and the caller reads by "data" events. A test notices when that happens.
 */
import type { TLSSocket } from "node:tls";

type Fields = Record<symbol, unknown>;

/**
 * To be called when the handshake is done and before anything was read (`readableLength` is 0): what was read already only
 * events bring. `onBytes` gets the number of bytes that lie at the start of `buffer`.
 */
export function readTlsIntoStaticBuffer(
  socket: TLSSocket,
  buffer: Buffer,
  onBytes: (length: number) => void,
): boolean {
  const bufferField = emptyField(socket, "kBuffer");
  const callbackField = emptyField(socket, "kBufferCb");
  const handle = (socket as unknown as { readonly _handle?: unknown })._handle;
  if (bufferField === null || callbackField === null || !takesBuffer(handle)) return false;
  const fields = socket as unknown as Fields;
  fields[bufferField] = buffer;
  fields[callbackField] = (length: number): boolean => {
    onBytes(length);
    return true;
  };
  handle.useUserBuffer(buffer);
  return true;
}

interface BufferTaker {
  useUserBuffer(buffer: Buffer): void;
}

function takesBuffer(handle: unknown): handle is BufferTaker {
  if (typeof handle !== "object" || handle === null) return false;
  return typeof (handle as Partial<BufferTaker>).useUserBuffer === "function";
}

/** The socket's own field of that name, when there is one and nobody has filled it. */
function emptyField(socket: TLSSocket, name: string): symbol | null {
  const field = Object.getOwnPropertySymbols(socket).find((each) => each.description === name);
  return field !== undefined && (socket as unknown as Fields)[field] === null ? field : null;
}
