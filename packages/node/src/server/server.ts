/**
 * The RESP server: listeners, connections and what they share, put together. It knows the replica only by the two
 * ports it is given (WritePath, ReplicaView).
 */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { AccessControl } from "../access/access-control.ts";
import type { AccessView } from "../access/access-view.ts";
import type { ImplicitDefault } from "../access/client-access.ts";
import { AT_REST_OFF } from "../at-rest/at-rest-off.ts";
import type { AtRestView } from "../at-rest/at-rest-view.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { auditClient } from "../access/audit-client.ts";
import { auditedCommands } from "../access/audited-commands.ts";
import type { RunnableCommand } from "../commands/command.ts";
import type { CertificatesView } from "../certificates/live-credentials.ts";
import type { CommandTable } from "../commands/table.ts";
import type { NodeConfig } from "../config/node-config.ts";
import type { ReplicaView } from "../replica/replica-view.ts";
import type { WritePath } from "../replica/write-path.ts";
import { ChunkPool } from "../resp/chunk-pool.ts";
import { DEFAULT_LIMITS } from "../resp/limits.ts";
import type { DecoderLimits } from "../resp/limits.ts";
import type { ServerClock } from "./clock.ts";
import { refuseSocket, tcpEnds, unixEnds, type ClientEnds } from "./client-ends.ts";
import { ClientReader } from "./client-reader.ts";
import type { ClientTls } from "./client-tls.ts";
import { directSocket } from "./direct-socket.ts";
import { Doorkeeper } from "./doorkeeper.ts";
import { Doors, type DoorKind } from "./doors.ts";
import { connectionRevoked } from "../audit/events.ts";
import type { ByteStream } from "./byte-stream.ts";
import type { ClientStream } from "./client-stream.ts";
import type { ConnectionHost } from "./connection-host.ts";
import type { Consistency } from "../commands/consistency-levels.ts";
import { Connection } from "./connection.ts";
import type {
  ClientView,
  ProcessFacts,
  ServerCounters,
  ServerView,
  SettingsView,
} from "./edge-context.ts";
import { DEFAULT_CONNECTION_LIMITS } from "./limits.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { ListenAddress } from "./listener.ts";
import type { ServerLogger } from "./logger.ts";
import { currentProcessFacts } from "./process-facts.ts";
import { newCounters, Statistics } from "./statistics.ts";
import { TlsService, type TlsServiceOptions } from "./tls-service.ts";
import { TlsStatistics } from "./tls-statistics.ts";
import { FERRITE_VERSION } from "./version.ts";

export interface RespServerOptions {
  readonly config: NodeConfig;
  readonly table: CommandTable;
  readonly writePath: WritePath;
  readonly replica: ReplicaView;
  readonly settings: SettingsView;
  readonly guard: AccessControl;
  readonly access: AccessView;
  readonly audit: AuditTrail;
  readonly clock: ServerClock;
  readonly logger: ServerLogger;
  readonly limits?: Partial<ConnectionLimits>;
  /** Where there are certificates for clients; then there is a TLS port, if there is to be one. */
  readonly tls?: TlsServiceOptions;
  /** Those of this node, to be shown. */
  readonly certificates?: CertificatesView;
  /** Absent: nothing is encrypted on disk. */
  readonly atRest?: AtRestView;
  readonly processFacts?: ProcessFacts;
  /** 40 hex digits; drawn when not given. */
  readonly runId?: string;
  /** False: read by "data" events only. */
  readonly staticReads?: boolean;
  /** Runs something at the end of the current event; the system's own way when not given. */
  readonly defer?: (run: () => void) => void;
  /** Where ids and ACL GENPASS get their chance from; the system's when not given. */
  readonly randomBytes?: (count: number) => Buffer;
}

/** Idle clients, closing clients and rates are looked at this often. */
const HOUSEKEEPING_INTERVAL_MS = 250;
/** How often `stop` looks whether clients have their answers. */
const STOP_POLL_INTERVAL_MS = 10;

export class RespServer implements ServerView, ConnectionHost {
  readonly runId: string;
  readonly startedAtMs: number;
  readonly counters: ServerCounters = newCounters();
  readonly statistics: Statistics;
  readonly tls: TlsStatistics = new TlsStatistics(() => this.#countTlsClients());
  readonly process: ProcessFacts;
  readonly settings: SettingsView;
  readonly replica: ReplicaView;
  readonly ferriteVersion: string = FERRITE_VERSION;

  readonly table: CommandTable;
  readonly writePath: WritePath;
  readonly guard: AccessControl;
  readonly access: AccessView;
  readonly audit: AuditTrail;
  readonly certificates: CertificatesView;
  readonly atRest: AtRestView;
  readonly audited: ReadonlySet<RunnableCommand>;
  readonly clock: ServerClock;
  readonly logger: ServerLogger;
  readonly limits: ConnectionLimits;
  readonly decoderLimits: DecoderLimits = { ...DEFAULT_LIMITS };
  readonly pool: ChunkPool = new ChunkPool();

  readonly #doorkeeper: Doorkeeper;
  readonly #connections = new Map<number, Connection>();
  readonly #dirty: ClientStream[] = [];
  readonly #reader: ClientReader;
  readonly #flushDirty: () => void = () => this.flush();
  readonly #defer: (run: () => void) => void;
  readonly #randomBytes: (count: number) => Buffer;
  #config: NodeConfig;
  #toldOfTls = false;
  #flushScheduled = false;
  readonly #tlsService: TlsService | null;
  readonly #doors: Doors;
  #tcpPort: number;
  #nextClientId = 1;
  #housekeeping: NodeJS.Timeout | null = null;

  constructor(options: RespServerOptions) {
    this.#config = options.config;
    this.table = options.table;
    this.writePath = options.writePath;
    this.guard = options.guard;
    this.access = options.access;
    this.audit = options.audit;
    this.certificates = options.certificates ?? { health: () => [] };
    this.atRest = options.atRest ?? AT_REST_OFF;
    this.audited = auditedCommands(options.table);
    this.#doorkeeper = new Doorkeeper({
      config: () => this.#config,
      users: () => this.guard.users(),
      counters: this.counters,
      audit: options.audit,
      nowMs: () => this.clock.nowMs(),
    });
    this.replica = options.replica;
    this.settings = options.settings;
    this.clock = options.clock;
    this.logger = options.logger;
    this.limits = { ...DEFAULT_CONNECTION_LIMITS, ...options.limits };
    this.process = options.processFacts ?? currentProcessFacts();
    this.#defer = options.defer ?? ((run) => process.nextTick(run));
    this.#randomBytes = options.randomBytes ?? ((count) => randomBytes(count));
    this.runId = options.runId ?? this.#randomBytes(20).toString("hex");
    this.startedAtMs = options.clock.nowMs();
    this.statistics = new Statistics(this.counters, [this.tls]);
    this.decoderLimits.bulkBytesMax = options.config.protoMaxBulkBytes;
    this.#reader = new ClientReader(options.staticReads ?? true, options.logger);
    this.#tcpPort = options.config.port;
    this.#tlsService = options.tls === undefined ? null : this.#createTlsService(options.tls);
    this.#doors = new Doors({
      logger: options.logger,
      tls: this.#tlsService,
      accept: (socket, kind) => this.#accept(socket, kind),
    });
  }

  // ---- life -----------------------------------------------------------------------------------------------------

  /** Begins to listen. Where, or a ServerError that names what is in the way. */
  async start(): Promise<readonly ListenAddress[]> {
    const addresses = await this.#doors.open(this.#config);
    this.#tcpPort = addresses[0].port;
    this.#housekeeping = setInterval(() => this.keepHouse(), HOUSEKEEPING_INTERVAL_MS);
    this.#housekeeping.unref();
    return addresses;
  }

  /** Where TLS is spoken; empty where it is not. */
  get tlsAddresses(): readonly ListenAddress[] {
    return this.#doors.tlsAddresses;
  }

  /**
   * Stops accepting, gives writes on their way up to `graceMs` to be answered, closes all clients.
   */
  async stop(graceMs = 1_000): Promise<void> {
    await this.#doors.close();
    if (this.#housekeeping !== null) clearInterval(this.#housekeeping);
    this.#housekeeping = null;
    for (const connection of this.#connections.values()) connection.close(true);
    this.flush();
    const deadlineMs = performance.now() + graceMs;
    while (this.#anyWaitsForAnswers() && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, STOP_POLL_INTERVAL_MS));
    }
    for (const connection of this.#connections.values()) connection.close(false);
  }

  #anyWaitsForAnswers(): boolean {
    for (const connection of this.#connections.values()) {
      if (connection.waitsForAnswers) return true;
    }
    return false;
  }

  /** Takes over a changed configuration (CONFIG SET): the settings that can change at run time. */
  applyConfig(config: NodeConfig, changed: ReadonlySet<keyof NodeConfig>): void {
    this.#config = config;
    this.decoderLimits.bulkBytesMax = config.protoMaxBulkBytes;
    if (changed.has("protectedMode")) this.reviewClients();
    this.#tlsService?.applyConfig(changed);
    if (!changed.has("requireTls")) return;
    for (const connection of this.#connections.values()) {
      connection.mustUseTls = this.#mustUseTls(connection);
    }
  }

  // ---- connections ----------------------------------------------------------------------------------------------

  #accept(accepted: Socket, kind: DoorKind): void {
    this.counters.connectionsReceived++;
    const ends = kind === "unix" ? unixEnds(this.#config.unixSocket ?? "") : tcpEnds(accepted);
    // A client that is gone already has no address.
    if (ends === null) {
      accepted.destroy();
      return;
    }
    const newcomer = { ends, tls: null, hasNamedItself: false };
    const refusal = this.#doorkeeper.refuse(newcomer, this.#connections.size);
    if (refusal !== null) {
      refuseSocket(accepted, refusal);
      return;
    }
    this.#reader.read(accepted, (stream) => this.#add(directSocket(stream), ends));
  }

  /** Whether plain connections are read into the static buffer. */
  get usesStaticReads(): boolean {
    return this.#reader.isStatic;
  }

  /** Whether connections over TLS are. */
  get usesStaticTlsReads(): boolean {
    return this.#reader.isTlsStatic;
  }

  /** A client has come over a stream that is no socket of ours: it is let in like any other, or told why not. */
  admit(stream: ByteStream, ends: ClientEnds): void {
    this.counters.connectionsReceived++;
    const newcomer = { ends, tls: null, hasNamedItself: false };
    const refusal = this.#doorkeeper.refuse(newcomer, this.#connections.size);
    if (refusal === null) this.attach(stream, ends);
    else stream.write(refusal, () => stream.destroy());
  }

  /** Serves a client over any stream of bytes. */
  attach(stream: ByteStream, ends: ClientEnds): Connection {
    const connection = this.#add(stream, ends);
    this.#reader.readByEvents(stream, connection);
    return connection;
  }

  #createTlsService(options: TlsServiceOptions): TlsService {
    return new TlsService(options, {
      doorkeeper: this.#doorkeeper,
      statistics: this.tls,
      counters: this.counters,
      audit: this.audit,
      logger: this.logger,
      config: () => this.#config,
      nowMs: () => this.clock.nowMs(),
      connections: () => this.#connections,
      serve: (socket, ends, tls) => {
        const connection = this.#add(socket, ends, tls);
        this.#reader.readTls(socket, connection);
        return connection;
      },
    });
  }

  #countTlsClients(): number {
    let count = 0;
    for (const connection of this.#connections.values()) if (connection.tls !== null) count++;
    return count;
  }

  #mustUseTls({ origin, tls }: Pick<Connection, "origin" | "tls">): boolean {
    return this.#config.requireTls && tls === null && origin !== "unix";
  }

  #add(stream: ByteStream, ends: ClientEnds, tls: ClientTls | null = null): Connection {
    const { address, localAddress, origin } = ends;
    const identity = {
      id: this.#nextClientId++,
      connectedAtMs: this.clock.nowMs(),
      address,
      localAddress,
      origin,
      tls,
    };
    const isImplicitDefault: ImplicitDefault = () =>
      this.#doorkeeper.admission(origin) === "implicitDefault";
    const connection = new Connection(identity, stream, this, isImplicitDefault);
    connection.mustUseTls = this.#mustUseTls(connection);
    const { id } = identity;
    this.#connections.set(id, connection);
    this.#doorkeeper.review(connection);
    return connection;
  }

  removed(connection: ClientStream): void {
    this.#connections.delete(connection.id);
    this.#doorkeeper.left(connection.id);
  }

  /** Told once: who scans ports would fill the log. */
  saidTlsHere(): void {
    if (this.#toldOfTls) return;
    this.#toldOfTls = true;
    const { tlsPort } = this.#config;
    const fields = { port: this.#tcpPort, "tls-port": tlsPort ?? "no" };
    this.logger.warn(fields, "a client began a TLS handshake on the port without TLS");
  }

  /** A client has logged in or out. */
  loginChanged(client: ClientStream): void {
    this.#doorkeeper.review(client);
  }

  /** See Doorkeeper.checking. */
  checkingLogin(client: ClientView, begins: boolean): void {
    this.#doorkeeper.checking(client.id, begins);
  }

  /** Connections that have to log in and have not. */
  get strangerCount(): number {
    return this.#doorkeeper.strangers;
  }

  /**
   * The users have changed: every client is looked at anew. Who is not there any more, or may not be used, is closed,
   * with what was already answered sent first (S09).
   */
  reviewClients(): void {
    const users = this.guard.users();
    for (const connection of this.#connections.values()) {
      connection.usersChanged(users);
      this.#doorkeeper.review(connection);
      if (!connection.access.isRevoked) continue;
      const reason = "its user was deleted, disabled or has expired";
      this.audit.record(connectionRevoked(auditClient(connection), reason));
      connection.close(true);
    }
  }

  // ---- flushing -------------------------------------------------------------------------------------------------

  /** Sends the replies that applying has produced, one socket write per client. To be called after each apply round. */
  flush(): void {
    this.#flushScheduled = false;
    const dirty = this.#dirty;
    // Settling a connection may make others dirty; they are appended and visited too.
    for (let index = 0; index < dirty.length; index++) dirty[index].flush();
    dirty.length = 0;
  }

  markDirty(connection: ClientStream): void {
    if (connection.isDirty) return;
    connection.isDirty = true;
    this.#dirty.push(connection);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // In case nobody calls `flush`: at the end of the current event.
    this.#defer(this.#flushDirty);
  }

  // ---- housekeeping ---------------------------------------------------------------------------------------------

  /** Looks at clients that are idle, or take too long to log in or to go. `start` has it done every 250 ms. */
  keepHouse(): void {
    const nowMs = this.clock.nowMs();
    this.statistics.sample(nowMs);
    // Measured now and then, so that the peak is known.
    this.process.usedBytes();
    this.#doorkeeper.closeOverdue((id) => this.#connections.get(id));
    this.#tlsService?.keepHouse();
    const idleMs = this.#config.idleTimeoutSeconds * 1000;
    for (const connection of this.#connections.values()) {
      if (connection.closeDeadlineMs > 0 && nowMs >= connection.closeDeadlineMs) {
        connection.close(false);
      } else if (idleMs > 0 && connection.isIdleSince(nowMs - idleMs)) {
        this.logger.debug({ client: connection.id }, "closing idle client");
        connection.close(false);
      }
    }
  }

  // ---- views ----------------------------------------------------------------------------------------------------

  get view(): ServerView {
    return this;
  }

  config(): NodeConfig {
    return this.#config;
  }

  get tcpPort(): number {
    return this.#tcpPort;
  }

  get defaultReadBoundMs(): number {
    return this.#config.readBoundMs;
  }

  get defaultConsistency(): Consistency {
    return this.#config.readConsistency;
  }

  get clientCount(): number {
    return this.#connections.size;
  }

  clients(): Iterable<ClientView> {
    return this.#connections.values();
  }

  clientById(id: number): ClientView | undefined {
    return this.#connections.get(id);
  }

  randomBytes(count: number): Buffer {
    return this.#randomBytes(count);
  }

  nowMs(): number {
    return this.clock.nowMs();
  }

  nowMicroseconds(): number {
    return this.clock.nowMicroseconds();
  }
}
