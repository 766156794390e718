/** A RespServer on a free port with a fake replica behind it. */
import { afterEach } from "vitest";
import { createCommandTable } from "../../../src/commands/all-commands.ts";
import type { NodeConfig } from "../../../src/config/node-config.ts";
import type { ServerClock } from "../../../src/server/clock.ts";
import type { SettingsView } from "../../../src/server/edge-context.ts";
import type { ConnectionLimits } from "../../../src/server/limits.ts";
import type { ServerLogger } from "../../../src/server/logger.ts";
import { RespServer } from "../../../src/server/server.ts";
import { FakeReplica } from "./fake-replica.ts";
import { RawClient } from "./raw-client.ts";

const MEBIBYTE = 1024 * 1024;

export interface TestServerOptions {
  readonly config?: Partial<NodeConfig>;
  readonly limits?: Partial<ConnectionLimits>;
  readonly staticReads?: boolean;
  readonly settings?: SettingsView;
}

export class ManualClock implements ServerClock {
  time = 1_700_000_000_000;
  nowMs(): number {
    return this.time;
  }
  nowMicroseconds(): number {
    return this.time * 1000 + 123;
  }
}

export class TestServer {
  readonly server: RespServer;
  readonly replica: FakeReplica;
  readonly clock: ManualClock;
  /** Messages of level warn and above. */
  readonly warnings: string[];
  readonly port: number;
  readonly clients: RawClient[] = [];

  constructor(parts: Pick<TestServer, "server" | "replica" | "clock" | "warnings" | "port">) {
    this.server = parts.server;
    this.replica = parts.replica;
    this.clock = parts.clock;
    this.warnings = parts.warnings;
    this.port = parts.port;
  }

  async connect(options: { allowHalfOpen?: boolean } = {}): Promise<RawClient> {
    const client = await RawClient.connect(this.port, options);
    this.clients.push(client);
    return client;
  }
}

const running: TestServer[] = [];

afterEach(async () => {
  for (const test of running.splice(0)) {
    for (const client of test.clients) client.destroy();
    await test.server.stop(0);
  }
});

/** Started now, stopped after the test. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const table = createCommandTable();
  const replica = new FakeReplica(table);
  const clock = new ManualClock();
  const warnings: string[] = [];
  const server = new RespServer({
    config: testConfig(options.config),
    table,
    writePath: replica,
    replica,
    settings: options.settings ?? emptySettings,
    clock,
    logger: collectingLogger(warnings),
    limits: options.limits ?? {},
    staticReads: options.staticReads ?? true,
  });
  replica.onRoundDone = () => server.flush();
  const addresses = await server.start();
  const test = new TestServer({ server, replica, clock, warnings, port: addresses[0].port });
  running.push(test);
  return test;
}

const emptySettings: SettingsView = { match: () => [], set: () => null, get: () => undefined };

export function collectingLogger(warnings: string[]): ServerLogger {
  const keep = (_fields: Record<string, unknown>, message: string): void => {
    warnings.push(message);
  };
  return { debug: () => undefined, info: () => undefined, warn: keep, error: keep };
}

/** Defaults as in config/, on a free port of the loopback. */
export function testConfig(overrides: Partial<NodeConfig> = {}): NodeConfig {
  return {
    nodeName: "node-a",
    dataDir: "",
    bind: ["127.0.0.1"],
    port: 0,
    peerBind: "127.0.0.1",
    peerPort: 0,
    peerAnnounce: "",
    clientAnnounce: "",
    peers: [],
    clusterToken: "",
    peerTls: null,
    httpBind: "127.0.0.1",
    httpPort: null,
    requirepass: "",
    protectedMode: true,
    unixSocket: null,
    unixSocketPermissions: 0o700,
    unauthenticatedClientsMax: 1_000,
    unauthenticatedClientsPerAddressMax: 500,
    authTimeoutMs: 10_000,
    authThrottle: true,
    authThrottleMaxDelayMs: 10_000,
    authQueueMax: 256,
    authCacheEntriesMax: 10_000,
    passwordHashIterations: 1_000,
    aclFile: null,
    aclLogEntriesMax: 128,
    aclMaxStalenessMs: 10_000,
    maxClients: 10_000,
    idleTimeoutSeconds: 0,
    tcpKeepaliveSeconds: 300,
    protoMaxBulkBytes: 64 * MEBIBYTE,
    clientQueryBufferBytesMax: 256 * MEBIBYTE,
    clientOutputBufferBytesMax: 256 * MEBIBYTE,
    maxMemoryBytes: 0,
    readConsistency: "session",
    replicaServeStaleData: true,
    replicaMaxStalenessMs: 10_000,
    heartbeatIntervalMs: 50,
    electionTimeoutMs: 500,
    proposalTimeoutMs: 10_000,
    proposalQueueBytesMax: 64 * MEBIBYTE,
    logSegmentBytes: 64 * MEBIBYTE,
    snapshotLogBytes: 64 * MEBIBYTE,
    logCacheBytesMax: 64 * MEBIBYTE,
    peerFrameBytesMax: 80 * MEBIBYTE,
    logLevel: "info",
    logFormat: "json",
    ...overrides,
  };
}
