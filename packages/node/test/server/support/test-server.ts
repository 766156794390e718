/** A RespServer on a free port with a fake replica behind it. */
import type { ConnectionOptions } from "node:tls";
import { afterEach } from "vitest";
import { requirepassRules } from "../../../src/access/access-service.ts";
import { createCommandTable } from "../../../src/commands/all-commands.ts";
import type {
  CertificatesView,
  LiveCredentials,
} from "../../../src/certificates/live-credentials.ts";
import type { NodeConfig } from "../../../src/config/node-config.ts";
import type { ServerClock } from "../../../src/server/clock.ts";
import type { SettingsView } from "../../../src/server/edge-context.ts";
import type { ConnectionLimits } from "../../../src/server/limits.ts";
import { RespServer } from "../../../src/server/server.ts";
import { FakeReplica } from "./fake-replica.ts";
import { RawClient } from "./raw-client.ts";
import { testAccess } from "./test-access.ts";
import type { TestAccess } from "./test-access.ts";
import { collectingLogger } from "./test-logger.ts";

const MEBIBYTE = 1024 * 1024;

export interface TestServerOptions {
  readonly config?: Partial<NodeConfig>;
  readonly limits?: Partial<ConnectionLimits>;
  readonly staticReads?: boolean;
  readonly settings?: SettingsView;
  /** Then RESP over TLS is spoken on a free port, and the clock shows the real time: OpenSSL looks at that one. */
  readonly credentials?: LiveCredentials;
  /** What INFO and FERRITE.STATUS show. */
  readonly certificates?: CertificatesView;
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
  readonly access: TestAccess;
  /** Messages of level warn and above. */
  readonly warnings: string[];
  readonly port: number;
  readonly clients: RawClient[] = [];

  constructor(
    parts: Pick<TestServer, "server" | "replica" | "clock" | "access" | "warnings" | "port">,
  ) {
    this.server = parts.server;
    this.access = parts.access;
    this.replica = parts.replica;
    this.clock = parts.clock;
    this.warnings = parts.warnings;
    this.port = parts.port;
  }

  /** Port of RESP over TLS. */
  get tlsPort(): number {
    return this.server.tlsAddresses[0].port;
  }

  async connectTls(options: ConnectionOptions): Promise<RawClient> {
    const client = await RawClient.connectTls(this.tlsPort, options);
    this.clients.push(client);
    return client;
  }

  /** As CONFIG SET does. */
  change(settings: Partial<NodeConfig>): void {
    const config = { ...this.server.config(), ...settings };
    this.server.applyConfig(config, new Set(Object.keys(settings) as (keyof NodeConfig)[]));
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
  const { credentials } = options;
  const tlsDefaults: Partial<NodeConfig> = credentials === undefined ? {} : { tlsPort: 0 };
  const config = testConfig({ ...tlsDefaults, ...options.config });
  if (credentials !== undefined) clock.time = Date.now();
  const access = testAccess(table, {
    clients: () => server.clients(),
    checking: (client, begins) => server.checkingLogin(client, begins),
    nowMs: () => clock.nowMs(),
    isProtected: () => server.config().protectedMode,
    certificateUser: () => server.config(),
  });
  if (config.requirepass !== "") await givePassword(access, config.requirepass);
  const server: RespServer = new RespServer({
    config,
    guard: access.guard,
    access: access.view,
    audit: access.audit,
    table,
    writePath: replica,
    replica,
    settings: options.settings ?? emptySettings,
    clock,
    logger: collectingLogger(warnings),
    limits: options.limits ?? {},
    staticReads: options.staticReads ?? true,
    ...(options.certificates === undefined ? {} : { certificates: options.certificates }),
    ...(credentials === undefined ? {} : { tls: { credentials, logins: access.certificates } }),
  });
  replica.onRoundDone = () => server.flush();
  access.state.onUsersChanged(() => server.reviewClients());
  const addresses = await server.start();
  const test = new TestServer({
    server,
    replica,
    clock,
    access,
    warnings,
    port: addresses[0].port,
  });
  running.push(test);
  return test;
}

/** As the node does at the first start of a cluster. */
async function givePassword(access: TestAccess, password: string): Promise<void> {
  const user = access.view.users().get("default");
  const prepared = await access.view.prepareRules(requirepassRules(password), user);
  if (!prepared.ok) throw new Error(prepared.errorText);
  access.state.apply({ kind: "set", name: "default", rules: prepared.rules });
}

const emptySettings: SettingsView = {
  match: () => [],
  set: () => null,
  check: () => null,
  prepare: () => null,
  get: () => undefined,
};

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
    tlsPort: null,
    tlsBind: ["127.0.0.1"],
    tlsCertFile: null,
    tlsKeyFile: null,
    tlsKeyPassphraseFile: null,
    tlsCaCertFile: null,
    tlsCaCertDirectory: null,
    tlsAuthClients: "yes",
    tlsAuthClientsUser: "off",
    tlsAuthClientsUserMap: [],
    tlsProtocols: ["TLSv1.2", "TLSv1.3"],
    tlsCiphers: "",
    tlsCiphersuites: "",
    tlsPreferServerCiphers: false,
    tlsSessionCaching: true,
    atRestEncryption: false,
    atRestKeyFile: null,
    atRestKey: "",
    atRestVaultAddress: null,
    atRestVaultTransitKey: "",
    atRestVaultMount: "transit",
    atRestVaultTokenFile: null,
    atRestVaultNamespace: "",
    atRestVaultCaCertFile: null,
    atRestVaultTimeoutMs: 5000,
    atRestVaultWaitMs: 0,
    tlsSessionCacheTimeoutSeconds: 300,
    tlsHandshakeTimeoutMs: 10_000,
    requireTls: false,
    tlsCrlFile: null,
    tlsCrlStale: "accept",
    tlsCloseExpired: true,
    tlsReloadIntervalSeconds: 60,
    tlsExpiryWarningDays: [30, 7, 1],
    httpTls: false,
    peerTlsCertFile: null,
    peerTlsKeyFile: null,
    peerTlsKeyPassphraseFile: null,
    peerTlsCaCertFile: null,
    peerTlsCaCertDirectory: null,
    peerTlsCrlFile: null,
    peerAllowedSan: [],
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
    auditEnabled: false,
    auditKeys: "hash",
    auditKeyFile: null,
    auditOnFailure: "drop",
    auditFsync: "interval",
    auditFileBytes: 64 * MEBIBYTE,
    auditKeepFiles: 16,
    auditAnchorIntervalMs: 10_000,
    auditRingEntries: 4096,
    auditQueueBytesMax: 16 * MEBIBYTE,
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
    aclNewCommands: "allow",
    aclAutoSave: false,
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
    readBoundMs: 1000,
    leaseReads: false,
    replicaServeStaleData: true,
    replicaMaxStalenessMs: 10_000,
    heartbeatIntervalMs: 50,
    electionTimeoutMs: 500,
    diskStallTimeoutMs: 0,
    stateCheckIntervalMs: 0,
    repairDamagedDisk: true,
    memberJoin: "invited",
    memberPriority: 50,
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
