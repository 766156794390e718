import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
} from "node:http";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { writeFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { Registry } from "prom-client";
import { describe, expect, it, onTestFinished } from "vitest";
import { auditInfo } from "../../src/audit/audit-info.ts";
import { Chain, type SealedRecord } from "../../src/audit/chain.ts";
import { KeyNames } from "../../src/audit/key-names.ts";
import { NO_HASH } from "../../src/audit/record.ts";
import { OtlpSink } from "../../src/audit/sinks/otlp-sink.ts";
import { BatchRefused, type Receiver } from "../../src/audit/sinks/sink.ts";
import { SinkQueue } from "../../src/audit/sinks/sink-queue.ts";
import { StdoutSink } from "../../src/audit/sinks/stdout-sink.ts";
import { syslogFrame } from "../../src/audit/sinks/syslog-message.ts";
import { SyslogSink } from "../../src/audit/sinks/syslog-sink.ts";
import { WebhookSink } from "../../src/audit/sinks/webhook-sink.ts";
import { registerAuditMetrics } from "../../src/metrics/audit-metrics.ts";
import {
  CLIENT,
  CLUSTER_ID,
  ManualAuditClock,
  NODE_ID,
  note,
  recordsOnDisk,
  refusedLogin,
  startWorld,
  temporaryDirectory,
  until,
} from "./trail-world.ts";
import { makeTlsFiles } from "./tls-files.ts";

const TIMEOUT_MS = 2000;

function chain(): Chain {
  return new Chain({
    identity: { nodeId: NODE_ID, nodeName: "node-a", clusterId: CLUSTER_ID },
    key: null,
    clock: new ManualAuditClock(),
    keyNames: new KeyNames("hash", null, CLUSTER_ID),
    start: { sequence: 0, hash: NO_HASH, chain: "00112233aabbccdd" },
  });
}

function sealed(count: number): SealedRecord[] {
  const from = chain();
  return Array.from({ length: count }, (_, at) => from.seal(note(String(at))));
}

async function listening(server: Server | HttpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { readonly port: number }).port;
}

/** Takes octet-counted frames apart (RFC 6587). */
class FrameCollector {
  readonly messages: string[] = [];
  #rest: Buffer = Buffer.alloc(0);

  add(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const blank = this.#rest.indexOf(0x20);
      if (blank < 0) return;
      const length = Number(this.#rest.toString("latin1", 0, blank));
      if (this.#rest.length < blank + 1 + length) return;
      this.messages.push(this.#rest.toString("utf8", blank + 1, blank + 1 + length));
      this.#rest = this.#rest.subarray(blank + 1 + length);
    }
  }
}

describe("Syslog (RFC 5424, S51)", () => {
  it("a message has priority, time, host, structured data and the record, framed by its length", () => {
    const record = chain().seal({
      category: "auth",
      action: "auth.refused",
      severity: "warning",
      outcome: "failure",
      client: CLIENT,
      user: 'e"v]i\\l\n',
      reason: "no",
    });
    const frame = syslogFrame(record, 42).toString("utf8");
    const [, length, message] = /^(\d+) (.*)$/s.exec(frame)!;
    expect(Number(length)).toBe(Buffer.byteLength(message));
    expect(message).toMatch(
      /^<108>1 2023-11-14T22:13:20\.000123Z node-a ferrite 42 auth\.refused \[ferrite@32473 id="00112233aabbccdd-1" /,
    );
    expect(message).toContain(String.raw`user="e\"v\]i\\l?"`);
    const body = message.slice(message.indexOf("\ufeff") + 1);
    expect(`${body}\n`).toBe(record.line.toString("utf8"));
  });

  it("goes to a real TCP server, over one connection, which is made again when it breaks", async () => {
    const frames = new FrameCollector();
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => {
      sockets.push(socket);
      socket.on("data", (bytes) => frames.add(bytes));
      socket.on("error", () => undefined);
    });
    const port = await listening(server);
    const sink = new SyslogSink({
      url: `tcp://127.0.0.1:${port}`,
      caCertFile: null,
      processId: 1,
      timeoutMs: TIMEOUT_MS,
    });
    await sink.deliver(sealed(3));
    await sink.deliver(sealed(1));
    await until(() => frames.messages.length === 4);
    expect(sockets).toHaveLength(1);
    sockets[0].destroy();
    await until(() => sockets[0].destroyed);
    await expect
      .poll(() =>
        sink.deliver(sealed(1)).then(
          () => sockets.length,
          () => 0,
        ),
      )
      .toBeGreaterThanOrEqual(2);
    await until(() => frames.messages.length >= 5);
    await sink.close();
  });

  it("goes over TLS to a server whose authority is given, and to no other", async () => {
    const files = makeTlsFiles(temporaryDirectory(), "localhost");
    const frames = new FrameCollector();
    const server = createTlsServer({ key: files.key, cert: files.cert }, (socket) => {
      socket.on("data", (bytes) => frames.add(bytes));
      socket.on("error", () => undefined);
    });
    server.on("tlsClientError", () => undefined);
    const port = await listening(server);
    const options = { processId: 1, timeoutMs: TIMEOUT_MS };
    const url = `tls://localhost:${port}`;
    const good = new SyslogSink({ url, caCertFile: files.caFile, ...options });
    await good.deliver(sealed(2));
    await until(() => frames.messages.length === 2);
    await good.close();
    const stranger = new SyslogSink({ url, caCertFile: null, ...options });
    await expect(stranger.deliver(sealed(1))).rejects.toThrow(/certificate/);
    const otherName = new SyslogSink({
      url: `tls://127.0.0.1:${port}`,
      caCertFile: files.caFile,
      ...options,
    });
    await expect(otherName.deliver(sealed(1))).rejects.toThrow(/IP|altnames/);
    expect(frames.messages).toHaveLength(2);
  });

  it("nobody there, and somebody who does not speak TLS, are failures within the deadline", async () => {
    const silent = createTcpServer((socket) => socket.on("error", () => undefined));
    const port = await listening(silent);
    const options = { caCertFile: null, processId: 1, timeoutMs: 100 };
    const sink = new SyslogSink({ url: `tls://127.0.0.1:${port}`, ...options });
    await expect(sink.deliver(sealed(1))).rejects.toThrow("does not answer");
    silent.close();
    const nobody = new SyslogSink({ url: "tcp://127.0.0.1:1", ...options });
    await expect(nobody.deliver(sealed(1))).rejects.toThrow("ECONNREFUSED");
  });
});

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Answers with what the test queued, 200 otherwise. */
async function httpReceiver(
  answers: (number | { status: number; body?: string; location?: string })[] = [],
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      received.push({ path: request.url ?? "", headers: request.headers, body });
      const next = answers.shift() ?? 200;
      const answer = typeof next === "number" ? { status: next } : next;
      response.writeHead(answer.status, answer.location ? { location: answer.location } : {});
      response.end(answer.body ?? "{}");
    });
  });
  const port = await listening(server);
  return { url: `http://127.0.0.1:${port}/in`, received };
}

describe("Webhook", () => {
  it("posts a batch of records as they stand in the file, with its credentials (S51)", async () => {
    const { url, received } = await httpReceiver();
    const sink = new WebhookSink({ url, authorization: "Bearer t0ken", timeoutMs: TIMEOUT_MS });
    const batch = sealed(3);
    await sink.deliver(batch);
    expect(received).toHaveLength(1);
    expect(received[0].headers).toMatchObject({
      "content-type": "application/json",
      authorization: "Bearer t0ken",
    });
    const lines = batch.map(({ line }) => line.toString("utf8").trim());
    expect(received[0].body).toBe(`{"records":[${lines.join(",")}]}`);
  });

  it("does not follow a redirect: it could carry records and credentials elsewhere", async () => {
    const elsewhere = await httpReceiver();
    const { url } = await httpReceiver([{ status: 307, location: elsewhere.url }]);
    const sink = new WebhookSink({ url, authorization: "Bearer t0ken", timeoutMs: TIMEOUT_MS });
    await expect(sink.deliver(sealed(1))).rejects.toThrow(/redirect/);
    expect(elsewhere.received).toEqual([]);
  });

  it("gives up on a receiver that does not answer", async () => {
    const port = await listening(createHttpServer(() => undefined));
    const sink = new WebhookSink({
      url: `http://127.0.0.1:${port}/`,
      authorization: "",
      timeoutMs: 50,
    });
    await expect(sink.deliver(sealed(1))).rejects.toThrow(/timeout/);
  });

  it.each([
    ["ftp://host/", "is an http or https URL"],
    ["http://user:pass@host/", "must not hold a password"],
  ])("refuses %s", (url, message) => {
    expect(() => new WebhookSink({ url, authorization: "", timeoutMs: 1 })).toThrow(message);
  });

  it("refuses https when certificates would not be checked", () => {
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    onTestFinished(() => void delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"]);
    const target = { url: "https://host/", authorization: "", timeoutMs: 1 };
    expect(() => new WebhookSink(target)).toThrow("NODE_TLS_REJECT_UNAUTHORIZED");
  });
});

describe("OTLP logs", () => {
  it("posts an export request with time, severity, body and attributes (S51)", async () => {
    const { url, received } = await httpReceiver();
    const sink = new OtlpSink({ url, authorization: "", timeoutMs: TIMEOUT_MS }, "1.2.3");
    const record = chain().seal(refusedLogin("10.0.0.9:1"));
    expect(await sink.deliver([record])).toBe(0);
    expect(received[0].headers.authorization).toBeUndefined();
    const request = JSON.parse(received[0].body);
    const [resource] = request.resourceLogs;
    expect(resource.resource.attributes).toContainEqual({
      key: "service.instance.id",
      value: { stringValue: NODE_ID },
    });
    const [log] = resource.scopeLogs[0].logRecords;
    expect(log).toMatchObject({
      timeUnixNano: "1700000000000123456",
      severityNumber: 13,
      severityText: "warning",
      body: { stringValue: record.line.toString("utf8").trim() },
    });
    expect(log.attributes).toContainEqual({
      key: "ferrite.audit.seq",
      value: { intValue: "1" },
    });
    expect(log.attributes).toContainEqual({
      key: "user.name",
      value: { stringValue: "mallory" },
    });
  });

  it("says how many records a collector threw away, and does not send them again", async () => {
    const body = '{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"no"}}';
    const { url, received } = await httpReceiver([
      { status: 200, body },
      { status: 200, body: "x" },
    ]);
    const sink = new OtlpSink({ url, authorization: "", timeoutMs: TIMEOUT_MS }, "1");
    expect(await sink.deliver(sealed(5))).toBe(2);
    expect(await sink.deliver(sealed(5))).toBe(0);
    expect(received).toHaveLength(2);
  });
});

describe("Standard output", () => {
  it("gets the lines as they are", async () => {
    const output = new PassThrough();
    const batch = sealed(2);
    await new StdoutSink(output).deliver(batch);
    expect(output.read()).toEqual(Buffer.concat(batch.map(({ line }) => line)));
  });
});

/** A receiver that does what the test says. */
class FakeReceiver implements Receiver {
  readonly name = "fake";
  readonly got: number[] = [];
  behaviour: (batch: readonly SealedRecord[]) => Promise<number> = () => Promise.resolve(0);
  isClosed = false;

  async deliver(batch: readonly SealedRecord[]): Promise<number> {
    const rejected = await this.behaviour(batch);
    this.got.push(...batch.map(({ record }) => record.sequence));
    return rejected;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

describe("The queue in front of a receiver (S52)", () => {
  it("keeps the order, and tries again with growing pauses until the receiver is back", async () => {
    const clock = new ManualAuditClock();
    const receiver = new FakeReceiver();
    const queue = new SinkQueue(receiver, clock, 1_000_000);
    let attempts = 0;
    receiver.behaviour = () => {
      attempts++;
      return Promise.reject(new Error("gone"));
    };
    for (const record of sealed(5)) queue.enqueue(record);
    const wait = async (ms: number): Promise<number> => {
      clock.advance(ms);
      await new Promise((resolve) => setImmediate(resolve));
      return attempts;
    };
    expect(await wait(0)).toBe(1);
    expect(await wait(99)).toBe(1);
    expect(await wait(1)).toBe(2);
    expect(await wait(199)).toBe(2);
    expect(await wait(1)).toBe(3);
    expect(queue.failure?.message).toBe("gone");
    receiver.behaviour = () => Promise.resolve(0);
    await wait(400);
    expect(receiver.got).toEqual([1, 2, 3, 4, 5]);
    expect(queue.counters).toEqual({ delivered: 5, failures: 3, dropped: 0 });
    expect(queue.failure).toBeNull();
  });

  it("is bounded: what finds no room is dropped and counted, and told once there is room again", async () => {
    const clock = new ManualAuditClock();
    const receiver = new FakeReceiver();
    const records = sealed(10);
    const queue = new SinkQueue(receiver, clock, records[0].line.length * 4);
    const gate = Promise.withResolvers<number>();
    receiver.behaviour = () => gate.promise;
    for (const record of records) queue.enqueue(record);
    expect(queue.counters.dropped).toBeGreaterThanOrEqual(6);
    expect(queue.takeDrops()).toBe(0);
    gate.resolve(0);
    await until(() => queue.queuedRecords === 0);
    expect(queue.takeDrops()).toBe(queue.counters.dropped);
    expect(queue.takeDrops()).toBe(0);
    expect(queue.counters.delivered + queue.counters.dropped).toBe(10);
  });

  it("finds the one record that a receiver will never take, and delivers the others", async () => {
    const receiver = new FakeReceiver();
    const queue = new SinkQueue(receiver, new ManualAuditClock(), 1_000_000);
    receiver.behaviour = (batch) =>
      batch.some(({ record }) => record.sequence === 6)
        ? Promise.reject(new BatchRefused("413"))
        : Promise.resolve(0);
    for (const record of sealed(10)) queue.enqueue(record);
    await until(() => queue.queuedRecords === 0);
    expect(receiver.got).toEqual([1, 2, 3, 4, 5, 7, 8, 9, 10]);
    expect(queue.counters).toMatchObject({ delivered: 9, dropped: 1 });
  });

  it("a close delivers what is queued, or counts it as dropped when the receiver is gone", async () => {
    const clock = new ManualAuditClock();
    const receiver = new FakeReceiver();
    const queue = new SinkQueue(receiver, clock, 1_000_000);
    for (const record of sealed(3)) queue.enqueue(record);
    await queue.close(1000);
    expect(receiver).toMatchObject({ got: [1, 2, 3], isClosed: true });

    const gone = new FakeReceiver();
    gone.behaviour = () => Promise.reject(new Error("gone"));
    const other = new SinkQueue(gone, clock, 1_000_000);
    for (const record of sealed(3)) other.enqueue(record);
    await other.close(1000);
    expect(other.counters).toMatchObject({ delivered: 0, dropped: 3 });
  });
});

describe("A trail with a receiver", () => {
  it("delivers every record once, in order, and shows it in metrics and INFO", async () => {
    const { url, received } = await httpReceiver();
    const { trail, dataDirectory } = await startWorld({ settings: { auditWebhookUrl: url } });
    for (let at = 0; at < 50; at++) trail.record(note(String(at)));
    await until(() => trail.status().sinks[1].delivered === 51);
    const registry = new Registry();
    registerAuditMetrics(registry, trail);
    const metrics = await registry.metrics();
    expect(metrics).toContain('ferrite_audit_sink_records_delivered_total{sink="webhook"} 51');
    expect(metrics).toContain("ferrite_audit_records_total 51");
    expect(metrics).toContain('ferrite_audit_sink_up{sink="webhook"} 1');
    expect(Object.fromEntries(auditInfo(trail.status()))).toMatchObject({
      audit_enabled: 1,
      audit_sequence: 51,
      audit_sinks: 1,
      audit_sink_queue: 0,
      audit_refusing: 0,
    });
    await trail.close();
    const posted = received.flatMap(({ body }) => JSON.parse(body).records);
    expect(posted).toEqual(recordsOnDisk(dataDirectory));
  });

  it("a receiver that is gone costs the files nothing, and its drops are recorded", async () => {
    const answers = Array.from({ length: 3 }, () => 503);
    const { url } = await httpReceiver(answers);
    const { trail, clock, dataDirectory } = await startWorld({
      settings: { auditWebhookUrl: url, auditQueueBytesMax: 30_000, auditOnFailure: "block" },
    });
    await until(() => trail.status().sinks[1].failure !== null);
    for (let at = 0; at < 100; at++) {
      trail.record(note(String(at)));
      await until(() => trail.status().sinks[0].queuedRecords === 0);
    }
    expect(trail.status().sinks[1].dropped).toBeGreaterThan(0);
    expect(trail.refusal()).toContain("the audit sink webhook does not keep up");
    await until(() => {
      clock.advance(250);
      return trail.status().sinks[1].queuedRecords === 0;
    });
    await until(() => {
      clock.advance(250);
      return trail.status().records > 101;
    });
    await trail.close();
    const records = recordsOnDisk(dataDirectory);
    expect(records.filter(({ action }) => action === "test.note")).toHaveLength(100);
    const dropped = records.find(({ action }) => action === "audit.sink.dropped");
    expect(dropped?.["reason"]).toMatch(/^\d+ records did not reach webhook$/);
  });

  it("settings of a sink that can not be used stop the start", async () => {
    await expect(startWorld({ settings: { auditSyslog: "udp://x" } })).rejects.toThrow(
      "tcp://host:port or tls://host:port",
    );
  });

  it("credentials of a sink never get into a record, a metric or an error (S13)", async () => {
    const { url } = await httpReceiver([500, 401]);
    const directory = temporaryDirectory();
    writeFileSync(`${directory}/placeholder`, "");
    const { trail, dataDirectory } = await startWorld({
      settings: { auditWebhookUrl: url, auditWebhookAuthorization: "Bearer CANARY" },
    });
    await until(() => trail.status().sinks[1].failure !== null);
    const registry = new Registry();
    registerAuditMetrics(registry, trail);
    const shown = JSON.stringify([trail.status(), await registry.metrics()]);
    await trail.close();
    expect(shown + JSON.stringify(recordsOnDisk(dataDirectory))).not.toContain("CANARY");
  });
});
