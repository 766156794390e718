/** A trail in a directory of its own, with a clock that only the test moves. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { AuditPage } from "../../src/audit/audit-log-view.ts";
import type { AuditService } from "../../src/audit/audit-service.ts";
import type { AuditSettings } from "../../src/audit/audit-settings.ts";
import type { AuditClient, AuditEvent } from "../../src/audit/audit-trail.ts";
import type { AuditClock } from "../../src/audit/clock.ts";
import { createAuditTrail } from "../../src/audit/create-audit-trail.ts";
import { DiskAuditFileSystem } from "../../src/audit/files/audit-file-system.ts";
import type { AuditFile, AuditFileSystem } from "../../src/audit/files/audit-file-system.ts";

export const NODE_ID = "0a1b2c3d-0000-4000-8000-00000000000a";
export const CLUSTER_ID = "ffffffff-0000-4000-8000-000000000001";

export const CLIENT: AuditClient = {
  id: 7,
  address: "10.0.0.9:5000",
  localAddress: "10.0.0.1:6379",
  name: "app",
  user: "alice",
  isTls: true,
  certificateFingerprint: "ab".repeat(32),
  certificateSerial: "0A",
  certificateSubject: "CN=alice",
};

export const SETTINGS: AuditSettings = {
  auditEnabled: true,
  auditKeys: "hash",
  auditKeyFile: null,
  auditOnFailure: "drop",
  auditFsync: "interval",
  auditFileBytes: 64 * 1024 * 1024,
  auditKeepFiles: 16,
  auditAnchorIntervalMs: 10_000,
  auditRingEntries: 4096,
  auditQueueBytesMax: 16 * 1024 * 1024,
  auditRepeatLimit: 10,
  auditStdout: false,
  auditSyslog: null,
  auditSyslogCaCertFile: null,
  auditSyslogCertFile: null,
  auditSyslogKeyFile: null,
  auditOtlpUrl: null,
  auditOtlpAuthorization: "",
  auditWebhookUrl: null,
  auditWebhookAuthorization: "",
};

/** Time passes by `advance` alone. */
export class ManualAuditClock implements AuditClock {
  ms = 1_700_000_000_000;
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  nowNanoseconds(): bigint {
    return BigInt(this.ms) * 1_000_000n + 123_456n;
  }

  monotonicMs(): number {
    return this.ms;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.ms + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Runs what is due, in order, with what that starts. */
  advance(ms: number): void {
    const end = this.ms + ms;
    for (;;) {
      const due = [...this.#timers]
        .filter((timer) => timer.atMs <= end)
        .toSorted((left, right) => left.atMs - right.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.ms = Math.max(this.ms, due.atMs);
      due.run();
    }
    this.ms = end;
  }
}

/** A disk that fails as it is told; otherwise the real one. */
export class FaultyFileSystem extends DiskAuditFileSystem {
  /** The error of writes, or null. Half of the bytes get through before it. */
  writeError: string | null = null;
  syncError: string | null = null;
  syncs = 0;
  /** Syncs wait for it. */
  syncGate: Promise<void> = Promise.resolve();
  /** Resolved when a write has failed. */
  onFailure: () => void = () => undefined;
  /** Writes wait for it. */
  gate: Promise<void> = Promise.resolve();

  override async open(path: string, mode: "create" | "read" | "readWrite"): Promise<AuditFile> {
    const file = await super.open(path, mode);
    const write = file.write.bind(file);
    const sync = file.sync.bind(file);
    file.write = async (bytes, position) => {
      await this.gate;
      if (this.writeError === null) return await write(bytes, position);
      await write(bytes.subarray(0, bytes.length >> 1), position);
      setImmediate(() => this.onFailure());
      throw Object.assign(new Error(`${this.writeError}: no room`), { code: this.writeError });
    };
    file.sync = async () => {
      this.syncs++;
      await this.syncGate;
      if (this.syncError !== null) throw new Error(this.syncError);
      await sync();
    };
    return file;
  }
}

export interface TrailWorld {
  readonly trail: AuditService;
  readonly clock: ManualAuditClock;
  readonly dataDirectory: string;
  /** What was logged as a warning or an error. */
  readonly complaints: string[];
}

export interface TrailWorldOptions {
  readonly settings?: Partial<AuditSettings>;
  readonly dataDirectory?: string;
  readonly clock?: ManualAuditClock;
  readonly fileSystem?: AuditFileSystem;
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ferrite-audit-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
  return directory;
}

/** Not started yet. Closed after the test. */
export function createWorld(options: TrailWorldOptions = {}): TrailWorld {
  const clock = options.clock ?? new ManualAuditClock();
  const dataDirectory = options.dataDirectory ?? temporaryDirectory();
  const complaints: string[] = [];
  const complain = (_fields: unknown, message: string): void => void complaints.push(message);
  const trail = createAuditTrail({
    settings: { ...SETTINGS, ...options.settings },
    dataDirectory,
    nodeId: NODE_ID,
    nodeName: "node-a",
    clusterId: CLUSTER_ID,
    version: "9.8.7",
    logger: { warn: complain, error: complain },
    clock,
    ...(options.fileSystem === undefined ? {} : { fileSystem: options.fileSystem }),
  });
  return { trail, clock, dataDirectory, complaints };
}

export async function startWorld(options: TrailWorldOptions = {}): Promise<TrailWorld> {
  const world = createWorld(options);
  await world.trail.start();
  return world;
}

/** A record as JSON reads it. */
export type ReadRecord = Record<string, unknown> & {
  readonly seq: number;
  readonly action: string;
  readonly hash: string;
  readonly prev: string;
};

export function auditDirectory(dataDirectory: string): string {
  return join(dataDirectory, "audit");
}

export function auditFiles(dataDirectory: string): string[] {
  const directory = auditDirectory(dataDirectory);
  return readdirSync(directory)
    .toSorted()
    .map((name) => join(directory, name));
}

/** Every record on disk, oldest first. */
export function recordsOnDisk(dataDirectory: string): ReadRecord[] {
  return auditFiles(dataDirectory).flatMap((path) => readRecords(readFileSync(path)));
}

export function readRecords(bytes: Buffer): ReadRecord[] {
  const lines = bytes.toString("utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as ReadRecord);
}

export function newest(trail: AuditService, count: number): Promise<ReadRecord[]> {
  return page((done) => trail.newest(count, done));
}

export function since(trail: AuditService, after: number, count = 1000): Promise<ReadRecord[]> {
  return page((done) => trail.since(after, count, done));
}

export async function page(
  ask: (done: (page: AuditPage) => void) => unknown,
): Promise<ReadRecord[]> {
  const answer = await new Promise<AuditPage>((resolve) => void ask(resolve));
  if (!answer.ok) throw new Error(answer.errorText);
  return readRecords(Buffer.concat(answer.lines));
}

/** A success that says which one it is. */
export function note(reason: string): AuditEvent {
  return {
    category: "node",
    action: "test.note",
    severity: "info",
    outcome: "success",
    reason,
  };
}

/** A refused login from `address`. */
export function refusedLogin(address: string, user = "mallory"): AuditEvent {
  return {
    category: "auth",
    action: "auth.refused",
    severity: "warning",
    outcome: "failure",
    client: { ...CLIENT, address, user: null },
    user,
    reason: "wrong password",
  };
}

/** Lets asynchronous work on files go on until `isDone`. */
export async function until(isDone: () => boolean, what = "what was waited for"): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isDone()) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Until everything that was recorded is in the files. */
export async function written(trail: AuditService): Promise<void> {
  await until(() => trail.status().sinks[0]?.queuedRecords === 0, "writing");
}
