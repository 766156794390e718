/**
 * Writing replies through the handle of a socket. On its way through Node's streams a small reply costs more than its system
 * call has to: a request object, a state machine and a turn in the tick queue, to learn that the kernel took it at once.
 * The handle tells that when it returns. What the kernel does not take at once is kept by libuv, here as there.
 *
 * Node does not document the handle. Every step is looked for; a socket without one of them is written to as usual, and
 * a test notices. TLS has no such way: its handle never takes bytes at once.
 */
import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import type { ByteStream } from "./byte-stream.ts";

type Done = (error?: Error | null) => void;

/** One write that libuv goes on with after the call. */
interface WriteRequest {
  /** Below 0: an error of the system. */
  oncomplete?: (status: number) => void;
  /** Held until it is over: libuv reads from it. */
  buffer?: Uint8Array;
}

interface Handle {
  /** 0, or an error of the system below 0. The request is only used when the kernel did not take everything at once. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
}

interface Internals {
  readonly Request: new () => WriteRequest;
  /**
   * Whether the last write of any handle uses its request. An empty queue would not tell: libuv tries once more before it
   * comes back, and a write that is done by then still has its request until it says so.
   */
  usesRequest(): boolean;
}

/** A stream that writes to an accepted plain socket the short way; the socket itself where this Node has none. */
export function directSocket(socket: Socket): ByteStream {
  const handle = handleOf(socket);
  const internals = nodeInternals();
  return handle === null || internals === null
    ? socket
    : new DirectSocket(socket, handle, internals);
}

class DirectSocket implements ByteStream {
  readonly #socket: Socket;
  readonly #handle: Handle;
  readonly #internals: Internals;
  /** For the next write. It can be used again as long as the kernel takes everything. */
  #request: WriteRequest;
  /** Of a direct write that the kernel has not taken whole. */
  #waitingBytes = 0;

  constructor(socket: Socket, handle: Handle, internals: Internals) {
    this.#socket = socket;
    this.#handle = handle;
    this.#internals = internals;
    this.#request = new internals.Request();
  }

  get writableLength(): number {
    return this.#waitingBytes + this.#socket.writableLength;
  }

  on(event: "data" | "end" | "close" | "error", listener: (value: never) => void): this {
    this.#socket.on(event, listener as () => void);
    return this;
  }

  write(bytes: Uint8Array, done: Done): void {
    const socket = this.#socket;
    // Behind what waits the usual way keeps the order; and it knows what to say of a socket that takes nothing any more.
    if (this.#waitingBytes > 0 || socket.writableLength > 0 || !socket.writable) {
      socket.write(bytes, done);
      return;
    }
    const request = this.#request;
    const status = this.#handle.writeBuffer(request, bytes);
    if (status < 0) this.#fail(status, done);
    else if (this.#internals.usesRequest()) this.#waitFor(request, bytes, done);
    else done();
  }

  #waitFor(request: WriteRequest, bytes: Uint8Array, done: Done): void {
    this.#waitingBytes = bytes.length;
    this.#request = new this.#internals.Request();
    request.buffer = bytes;
    request.oncomplete = (status) => {
      this.#waitingBytes = 0;
      if (status < 0) this.#fail(status, done);
      else done();
    };
  }

  #fail(status: number, done: Done): void {
    const code = getSystemErrorName(status);
    const error = Object.assign(new Error(`write ${code}`), { code });
    this.#socket.destroy(error);
    done(error);
  }

  end(): void {
    // Behind what libuv still has.
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

function handleOf(socket: Socket): Handle | null {
  const handle = (socket as unknown as { readonly _handle?: Partial<Handle> | null })._handle;
  return typeof handle?.writeBuffer === "function" ? (handle as Handle) : null;
}

/** Undefined before they were looked for. */
let found: Internals | null | undefined;

function nodeInternals(): Internals | null {
  if (found === undefined) found = findInternals();
  return found;
}

function findInternals(): Internals | null {
  const node = process as { readonly binding?: (name: string) => Record<string, unknown> };
  if (typeof node.binding !== "function") return null;
  try {
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = node.binding("stream_wrap");
    if (typeof WriteWrap !== "function" || typeof kLastWriteWasAsync !== "number") return null;
    if (!ArrayBuffer.isView(streamBaseState)) return null;
    const state = streamBaseState as Int32Array;
    return {
      Request: WriteWrap as Internals["Request"],
      usesRequest: () => state[kLastWriteWasAsync] !== 0,
    };
  } catch {
    // Not with Node's permission model, nor in a version that has taken it away.
    return null;
  }
}
