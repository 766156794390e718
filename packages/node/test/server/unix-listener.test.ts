import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UnixListener } from "../../src/server/unix-listener.ts";
import { silentLogger } from "../../src/server/logger.ts";
import { until } from "./support/until.ts";

const cleanups: (() => unknown)[] = [];
let path = "";

beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), "ferrite-unix-"));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  path = join(directory, "ferrite.sock");
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function makeListener(options: { path?: string; permissions?: number } = {}): {
  readonly listener: UnixListener;
  readonly accepted: Socket[];
} {
  const accepted: Socket[] = [];
  const listener = new UnixListener(
    { path, permissions: 0o700, backlog: 10, ...options },
    silentLogger,
    (socket) => {
      cleanups.push(() => socket.destroy());
      accepted.push(socket);
    },
  );
  cleanups.push(() => listener.stop());
  return { listener, accepted };
}

async function connected(): Promise<Socket> {
  const socket = connect({ path });
  cleanups.push(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** A process that listens there and is killed: its file stays behind. */
async function leaveStaleSocket(): Promise<void> {
  const program =
    "require('node:net').createServer().listen(process.argv[1], () => console.log('up'))";
  const child = spawn(process.execPath, ["-e", program, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(statSync(path).isSocket()).toBe(true);
}

describe("a Unix socket", () => {
  it("takes connections, has the permissions that were asked for, and is removed at the end", async () => {
    for (const permissions of [0o700, 0o770, 0o777, 0o600]) {
      const { listener, accepted } = makeListener({ permissions });
      await listener.start();
      expect(statSync(path).mode & 0o777).toBe(permissions);
      await connected();
      await until(() => accepted.length === 1);
      expect(accepted[0].remoteAddress).toBeUndefined();
      listener.stop();
      expect(existsSync(path)).toBe(false);
      // Who is connected stays so.
      expect(accepted[0].destroyed).toBe(false);
    }
  });

  it("has those permissions whatever the umask of the process is, which stays as it was", async () => {
    const before = process.umask(0);
    try {
      const { listener } = makeListener({ permissions: 0o600 });
      const starting = listener.start();
      // As soon as there is a file, nobody else may use it.
      await until(() => existsSync(path));
      expect(statSync(path).mode & 0o077).toBe(0);
      await starting;
      expect(process.umask()).toBe(0);
    } finally {
      process.umask(before);
    }
  });

  it("that was left behind by a process that was killed is replaced", async () => {
    await leaveStaleSocket();
    const { listener, accepted } = makeListener();
    await listener.start();
    await connected();
    await until(() => accepted.length === 1);
  });

  it("that somebody listens on is not taken", async () => {
    const other = createServer((socket) => socket.on("error", () => undefined));
    await new Promise<void>((resolve) => other.listen(path, resolve));
    cleanups.push(() => other.close());
    await expect(makeListener().listener.start()).rejects.toMatchObject({
      code: "LISTEN_FAILED",
      message: `can not listen on the Unix socket ${path}: another program listens there already`,
    });
    expect(existsSync(path)).toBe(true);
  });

  it("is not made where a file of another kind is, which is left alone", async () => {
    writeFileSync(path, "precious");
    const expected = {
      code: "LISTEN_FAILED",
      message: expect.stringContaining("a file that is no socket has that name"),
    };
    await expect(makeListener().listener.start()).rejects.toMatchObject(expected);
    expect(statSync(path).size).toBe(8);
    rmSync(path);
    const target = `${path}.target`;
    writeFileSync(target, "precious");
    symlinkSync(target, path);
    await expect(makeListener().listener.start()).rejects.toMatchObject(expected);
    expect(statSync(target).size).toBe(8);
  });

  it("says what is in the way: a path that is too long, a folder that is not there", async () => {
    const long = join(path, "x".repeat(108));
    await expect(makeListener({ path: long }).listener.start()).rejects.toMatchObject({
      code: "LISTEN_FAILED",
      message: expect.stringContaining("longer than 107 bytes"),
    });
    const nowhere = join(path, "no", "such", "folder");
    await expect(makeListener({ path: nowhere }).listener.start()).rejects.toMatchObject({
      code: "LISTEN_FAILED",
      message: expect.stringContaining(nowhere),
    });
  });

  it("goes on accepting after an accept that failed (S23, CVE-2025-48367)", async () => {
    const { listener, accepted } = makeListener();
    await listener.start();
    const net = await import("node:net");
    const server = (process as unknown as { _getActiveHandles(): unknown[] })
      ._getActiveHandles()
      .find((handle) => handle instanceof net.Server && handle.address() === path) as
      | InstanceType<typeof net.Server>
      | undefined;
    server!.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }));
    await connected();
    await until(() => accepted.length === 1);
  });
});
