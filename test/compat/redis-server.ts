/** A real redis-server for the length of a test: in a directory of its own, gone at the end. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SocketTarget } from "./socket-target.ts";

/** What the compatibility tests were written against. */
export const REDIS_VERSION = "7.0.15";
/** REDIS_SERVER names another binary of that version. */
const BINARY = process.env["REDIS_SERVER"] ?? "redis-server";
const READY_TIMEOUT_MS = 10_000;
const READY_POLL_MS = 20;

/** Why the tests can not run here, or null. With CI=true that is a failure, else they are skipped. */
export function missingRedis(): string | null {
  const { stdout } = spawnSync(BINARY, ["--version"], { encoding: "utf8" });
  if (typeof stdout !== "string") return `skipped: redis-server ${REDIS_VERSION} is not installed`;
  if (stdout.includes(`v=${REDIS_VERSION}`)) return null;
  return `skipped: redis-server is not ${REDIS_VERSION} but ${stdout.trim()}`;
}

export interface RedisServer {
  readonly target: SocketTarget;
  stop(): Promise<void>;
}

/** Starts it with one database and nothing on disk: on a Unix socket, and on a TCP port of loopback if one is given. */
export async function startRedis(port = 0): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), "ferrite-redis-"));
  const path = join(directory, "redis.sock");
  const address = ["--port", String(port), "--bind", "127.0.0.1", "--unixsocket", path];
  const options = [...address, "--dir", directory, "--save", ""];
  const child = spawn(BINARY, [...options, "--databases", "1"], { stdio: "ignore" });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!existsSync(path)) {
    if (Date.now() > deadline) throw new Error("redis-server did not open its socket in time");
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  return {
    target: new SocketTarget(
      `redis-server ${REDIS_VERSION}`,
      port === 0 ? { path } : { host: "127.0.0.1", port },
    ),
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
