import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ByteStream } from "../../src/server/byte-stream.ts";
import { directSocket } from "../../src/server/direct-socket.ts";
import { until } from "./support/until.ts";

/** More than a kernel takes of a client that does not read. */
const LARGE_BYTES = 16 * 1024 * 1024;

const folder = mkdtempSync(join(tmpdir(), "ferrite-direct-"));
let server: Server;
let accepted: Socket;
let client: Socket;
let stream: ByteStream;
let received: Buffer[];
const done: (string | null)[] = [];
const noteDone = (error?: Error | null): void => void done.push(error?.message ?? null);

afterEach(async () => {
  client.destroy();
  accepted.destroy();
  await new Promise((resolve) => server.close(resolve));
});

async function connectTo(path?: string): Promise<void> {
  done.length = 0;
  received = [];
  server = createServer({ allowHalfOpen: true });
  if (path === undefined) server.listen(0, "127.0.0.1");
  else server.listen(path);
  await once(server, "listening");
  const incoming = once(server, "connection");
  client =
    path === undefined
      ? connect((server.address() as AddressInfo).port, "127.0.0.1")
      : connect(path);
  [accepted] = (await incoming) as [Socket];
  client.on("data", (bytes: Buffer) => received.push(bytes));
  client.on("error", () => undefined);
  accepted.on("error", () => undefined);
  stream = directSocket(accepted);
}

/** Bytes that tell their place. */
function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE((at + seed) >>> 0, at);
  return bytes;
}

/** As under Node's permission model. */
function refuse(): never {
  throw new Error("access denied");
}

function text(): string {
  return Buffer.concat(received).toString();
}

describe("a socket that is written to through its handle", () => {
  beforeEach(() => connectTo());

  it("is another stream than the socket: this Node has the short way", () => {
    expect(stream).not.toBe(accepted);
  });

  it("says when it returns that the kernel took a small reply, without the stream knowing of it", async () => {
    let streamWrites = 0;
    const write = accepted._write.bind(accepted);
    accepted._write = (...args: Parameters<typeof write>) => {
      streamWrites++;
      write(...args);
    };
    for (const reply of ["+OK\r\n", ":1\r\n", "$-1\r\n"]) {
      const bytes = Buffer.from(reply);
      stream.write(bytes, noteDone);
      expect(stream.writableLength).toBe(0);
      // The buffer is free again.
      bytes.fill("x");
    }
    expect(done).toEqual([null, null, null]);
    await until(() => text() === "+OK\r\n:1\r\n$-1\r\n");
    expect(streamWrites).toBe(0);
    expect(accepted.bytesWritten).toBe(14);
  });

  it("counts what a slow client has not taken, keeps the order behind it, and says when it is taken", async () => {
    client.pause();
    const large = pattern(LARGE_BYTES, 1);
    stream.write(large, noteDone);
    expect(stream.writableLength).toBe(LARGE_BYTES);
    stream.write(Buffer.from("behind it"), noteDone);
    expect(stream.writableLength).toBeGreaterThan(LARGE_BYTES);
    expect(done).toEqual([]);
    client.resume();
    await until(() => done.length === 2);
    expect(stream.writableLength).toBe(0);
    stream.write(Buffer.from(", and again"), noteDone);
    expect(done).toEqual([null, null, null]);
    const end = "behind it, and again";
    await until(() => Buffer.concat(received).length === LARGE_BYTES + end.length);
    const all = Buffer.concat(received);
    expect(all.subarray(0, LARGE_BYTES).equals(large)).toBe(true);
    expect(all.toString("latin1", LARGE_BYTES)).toBe(end);
  });

  it("keeps the order and tells of each write once, through hundreds of full buffers", async () => {
    const size = 3 * 1024 * 1024;
    let arrived = 0;
    client.removeAllListeners("data");
    client.on("data", (bytes: Buffer) => {
      arrived += bytes.length;
    });
    const piece = pattern(size, 4);
    let written = 0;
    for (let round = 0; round < 200; round++) {
      stream.write(piece.subarray(0, size - round), noteDone);
      written += size - round;
      if (round % 3 === 0) stream.write(Buffer.from("+OK\r\n"), noteDone);
      if (round % 3 === 0) written += 5;
      if (round % 8 === 7) await until(() => stream.writableLength === 0);
    }
    await until(() => arrived === written);
    expect(done.every((message) => message === null)).toBe(true);
    expect(done).toHaveLength(200 + 67);
  });

  it("closes its side behind what the kernel has not taken yet", async () => {
    client.pause();
    const ended = once(client, "end");
    stream.write(pattern(LARGE_BYTES, 2), noteDone);
    stream.end();
    expect(done).toEqual([]);
    client.resume();
    await ended;
    expect(Buffer.concat(received).equals(pattern(LARGE_BYTES, 2))).toBe(true);
    expect(done).toEqual([null]);
  });

  it("tells of a write that was cut off, and takes nothing any more", async () => {
    client.pause();
    stream.write(pattern(LARGE_BYTES, 3), noteDone);
    stream.destroy();
    await until(() => done.length === 1);
    expect(done[0]).toMatch(/ECANCELED/);
    stream.write(Buffer.from("late"), noteDone);
    await until(() => done.length === 2);
    expect(done[1]).toMatch(/destroyed/);
  });

  it("fails and closes when the client is gone", async () => {
    let closed = false;
    stream.on("close", () => {
      closed = true;
    });
    client.resetAndDestroy();
    await until(() => {
      if (!closed) stream.write(Buffer.from("+OK\r\n"), noteDone);
      return closed;
    });
    stream.write(Buffer.from("late"), noteDone);
    await until(() => done.some((message) => message !== null));
  });
});

describe("other sockets", () => {
  it("are written to the short way over a Unix socket", async () => {
    await connectTo(join(folder, "s"));
    expect(stream).not.toBe(accepted);
    stream.write(Buffer.from("+OK\r\n"), noteDone);
    expect(done).toEqual([null]);
    await until(() => text() === "+OK\r\n");
    rmSync(folder, { recursive: true });
  });

  it("are written to as usual when the handle is not what is known", async () => {
    await connectTo();
    const handle = (accepted as unknown as { readonly _handle: object })._handle;
    Object.defineProperty(handle, "writeBuffer", { value: undefined });
    expect(directSocket(accepted)).toBe(accepted);
    const without = { _handle: null } as unknown as Socket;
    expect(directSocket(without)).toBe(without);
  });

  it("are written to as usual when Node does not give its internals away", async () => {
    await connectTo();
    const internals = process as unknown as { binding: (name: string) => unknown };
    const { binding } = internals;
    for (const taken of [() => ({}), refuse, undefined]) {
      vi.resetModules();
      const fresh = await import("../../src/server/direct-socket.ts");
      internals.binding = taken as typeof binding;
      expect(fresh.directSocket(accepted)).toBe(accepted);
      internals.binding = binding;
      // It is looked for once.
      expect(fresh.directSocket(accepted)).toBe(accepted);
    }
  });
});
