import { EventEmitter } from "node:events";
import { pbkdf2Sync } from "node:crypto";
import type { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { fastDigest, parseStoredPassword, verifyPassword } from "@ferrite/acl";
import { runHashingJob } from "../../../src/security/hashing/hashing-job.ts";
import type { HashingJob } from "../../../src/security/hashing/hashing-job.ts";
import { HashingService } from "../../../src/security/hashing/hashing-service.ts";
import type {
  HashingOptions,
  HashingOutcome,
} from "../../../src/security/hashing/hashing-service.ts";
import type { HashingRequest } from "../../../src/security/hashing/hashing-worker.ts";
import { PasswordHasher } from "../../../src/security/password-hasher.ts";
import { silentLogger } from "../../../src/server/logger.ts";
import { until } from "../../server/support/until.ts";
import { storedPassword } from "../support/stored-password.ts";

const services: HashingService[] = [];
afterEach(async () => {
  for (const service of services.splice(0)) await service.close();
});

interface Made {
  readonly service: HashingService;
  readonly messages: string[];
}

function makeService(options: Partial<HashingOptions> = {}): Made {
  const messages: string[] = [];
  const note = (_fields: unknown, message: string): void => void messages.push(message);
  const logger = { ...silentLogger, warn: note, error: note };
  const service = new HashingService({ logger, ...options });
  services.push(service);
  return { service, messages };
}

/** A thread that does what a test tells it. */
class FakeWorker extends EventEmitter {
  readonly requests: HashingRequest[] = [];
  postMessage(request: HashingRequest): void {
    this.requests.push(structuredClone(request));
    request.job.digest.fill(0);
  }
  answer(): void {
    const request = this.requests.shift()!;
    this.emit("message", { kind: "done", id: request.id, answer: runHashingJob(request.job) });
  }
  ref(): void {}
  unref(): void {}
  terminate(): Promise<number> {
    return Promise.resolve(0);
  }
}

function withFakes(
  options: Partial<HashingOptions> = {},
): Made & { readonly workers: FakeWorker[] } {
  const workers: FakeWorker[] = [];
  const startWorker = (): Worker => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker as unknown as Worker;
  };
  return { ...makeService({ startWorker, ...options }), workers };
}

/** The first byte of the digest tells jobs apart. */
function job(label = 0): HashingJob {
  return { kind: "derive", digest: Buffer.alloc(32, label), salt: Buffer.alloc(16), iterations: 1 };
}

const REMOTE = { lane: "remote", address: "10.0.0.9" } as const;

describe("The hashing thread", () => {
  it("computes what stored forms hold, and wipes the digests it was given", async () => {
    const { service, messages } = makeService();
    const hasher = new PasswordHasher(service, () => 1_000);
    const password = Buffer.from("secret");
    const digest = fastDigest(password);
    const outcome = await hasher.store(digest, "10.0.0.9");
    if (outcome.kind !== "stored") throw new Error(outcome.kind);
    expect(digest.every((byte) => byte === 0)).toBe(true);
    expect(parseStoredPassword(outcome.stored).iterations).toBe(1_000);
    expect(await verifyPassword(password, outcome.stored)).toBe(true);
    const forms = [storedPassword("other", 1_000), outcome.stored];
    expect(await hasher.find(fastDigest(password), forms, "x")).toEqual({
      kind: "found",
      stored: outcome.stored,
    });
    expect(await hasher.find(fastDigest(Buffer.from("no")), forms, "x")).toEqual({
      kind: "found",
      stored: null,
    });
    // On Linux nothing is to be said about its priority.
    if (process.platform === "linux") expect(messages).toEqual([]);
  });

  it("gives each password a salt of its own (F19)", async () => {
    const hasher = new PasswordHasher(makeService().service, () => 1_000);
    const stored = new Set<string>();
    for (let count = 0; count < 3; count++) {
      const outcome = await hasher.store(fastDigest(Buffer.from("same")), "x");
      if (outcome.kind === "stored") stored.add(outcome.stored);
    }
    expect(stored.size).toBe(3);
  });

  it("answers many at once, each its own", async () => {
    const { service } = makeService();
    const labels = Array.from({ length: 100 }, (_, index) => index);
    const outcomes = await Promise.all(labels.map((label) => service.run(job(label), REMOTE)));
    for (const label of labels) {
      const hash = pbkdf2Sync(Buffer.alloc(32, label), Buffer.alloc(16), 1, 32, "sha256");
      expect(outcomes[label]).toEqual({ kind: "derived", hash: new Uint8Array(hash) });
    }
    expect(service.waiting).toBe(0);
  });

  it("that dies answers everything that waited, and another one takes over", async () => {
    const { service, messages } = makeService({ restartDelayMs: 1 });
    const impossible = { ...job(), iterations: -1 };
    const outcomes = [impossible, job(1), job(2), job(3)].map((one) => service.run(one, REMOTE));
    expect((await Promise.all(outcomes)).map((outcome) => outcome.kind)).toEqual([
      "failed",
      "failed",
      "failed",
      "failed",
    ]);
    expect(messages).toEqual(["the password hashing thread was lost; starting it anew"]);
    expect((await service.run(job(4), REMOTE)).kind).toBe("derived");
    expect(service.restarts).toBe(1);
  });
});

describe("The order of hashing", () => {
  it("is changes, then logins from this machine and from elsewhere in turn, then better hashes (S25)", async () => {
    const { service, workers } = withFakes();
    const done: number[] = [];
    const order = (label: number, lane: "change" | "local" | "remote" | "background"): void => {
      void service
        .run(job(label), { lane, address: `address-${label}` })
        .then(() => done.push(label));
    };
    // The thread holds two, the others wait.
    order(90, "remote");
    order(91, "remote");
    order(40, "background");
    for (const label of [30, 31, 32]) order(label, "remote");
    for (const label of [20, 21]) order(label, "local");
    for (const label of [10, 11]) order(label, "change");
    expect(service.waiting).toBe(10);
    while (service.waiting > 0) {
      workers[0].answer();
      await Promise.resolve();
    }
    await until(() => done.length === 10);
    expect(done.slice(0, 4)).toEqual([90, 91, 10, 11]);
    expect(new Set(done.slice(4, 8))).toEqual(new Set([20, 21, 30, 31]));
    expect(done.slice(8)).toEqual([32, 40]);
  });

  it("turns away what is too much in one lane, without touching the others (limit: auth-queue-max)", async () => {
    const { service } = withFakes({ queueMax: 3 });
    const outcomes: Promise<HashingOutcome>[] = [];
    for (let label = 0; label < 7; label++) outcomes.push(service.run(job(label), REMOTE));
    // Two with the thread, three waiting, two turned away.
    expect(await outcomes[5]).toEqual({ kind: "busy" });
    expect(await outcomes[6]).toEqual({ kind: "busy" });
    expect(service.waiting).toBe(5);
    void service.run(job(), { lane: "change", address: "10.0.0.9" });
    void service.run(job(), { lane: "local", address: "unix" });
    expect(service.waiting).toBe(7);
  });

  it("is fair: who floods loses the place to who does not", async () => {
    const { service } = withFakes({ queueMax: 3 });
    const outcomes: Promise<HashingOutcome>[] = [];
    for (let label = 0; label < 5; label++) outcomes.push(service.run(job(label), REMOTE));
    void service.run(job(), { lane: "remote", address: "10.0.0.7" });
    expect(await outcomes[4]).toEqual({ kind: "busy" });
  });
});

describe("A hashing service", () => {
  it("starts no thread before there is work or it is told to", () => {
    const { service, workers } = withFakes();
    expect(workers.length).toBe(0);
    service.start();
    service.start();
    void service.run(job(), REMOTE);
    expect(workers.length).toBe(1);
  });

  it("waits longer each time the thread is lost, and not after it has worked again", async () => {
    const delays: unknown[] = [];
    const error = (fields: Record<string, unknown>): void => void delays.push(fields["delayMs"]);
    const logger = { ...silentLogger, error };
    const { service, workers } = withFakes({ logger, restartDelayMs: 1, restartDelayMsMax: 4 });
    service.start();
    for (let lost = 1; lost <= 4; lost++) {
      workers.at(-1)!.emit("exit", 1);
      await until(() => workers.length === lost + 1);
    }
    const outcome = service.run(job(), REMOTE);
    workers.at(-1)!.answer();
    expect((await outcome).kind).toBe("derived");
    workers.at(-1)!.emit("error", new Error("out of memory"));
    workers.at(-1)!.emit("exit", 1);
    expect(delays).toEqual([1, 2, 4, 4, 1]);
  });

  it("warns once when the thread can not give way", () => {
    const { service, workers, messages } = withFakes();
    service.start();
    workers[0].emit("message", { kind: "ready", priorityProblem: "EACCES" });
    expect(messages.length).toBe(1);
    expect(messages[0]).toContain("normal priority");
  });

  it("that is closed answers everything, then and later", async () => {
    const { service } = withFakes();
    const waiting = [1, 2, 3, 4].map((label) => service.run(job(label), REMOTE));
    await service.close();
    expect(new Set((await Promise.all(waiting)).map((outcome) => outcome.kind))).toEqual(
      new Set(["failed"]),
    );
    const digest = Buffer.alloc(32, 7);
    expect(await service.run({ ...job(), digest }, REMOTE)).toEqual({ kind: "failed" });
    expect(digest.every((byte) => byte === 0)).toBe(true);
  });
});
