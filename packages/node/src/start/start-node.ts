/**
 * The composition root: puts a node together from its parts, in order, and takes it apart in reverse. The only place
 * where real clock, timers, disk and network are chosen. Both the CLI and programs that embed a node come through here.
 */
import { NodeFileSystem, lockDataDirectory } from "@ferrite/storage";
import { pino, type Logger } from "pino";
import { createCommandTable } from "../commands/all-commands.ts";
import type { LookupCounters } from "../commands/command.ts";
import { formatHostPort } from "../config/host-port.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { Settings } from "../config/settings.ts";
import { startHttpServer, startWaitingServer, type HttpServerHandle } from "../http/http-server.ts";
import type { PeerMetricsSource } from "../metrics/peer-metrics.ts";
import { diskRepaired, identityRenewed } from "../repair/audit-events.ts";
import { RepairError } from "../repair/errors.ts";
import { renewalPlaces } from "../repair/places.ts";
import { beginRenewal, finishRenewal } from "../repair/renewal.ts";
import { createMetricsRegistry } from "../metrics/registry.ts";
import type { ServerCounters } from "../server/edge-context.ts";
import { RespServer } from "../server/server.ts";
import { systemClock } from "../server/clock.ts";
import type { NodeHandle, StartNodeOptions } from "../node-handle.ts";
import type { AtRestService } from "../at-rest/at-rest-service.ts";
import type { AuditService } from "../audit/audit-service.ts";
import { createAuditTrail } from "../audit/create-audit-trail.ts";
import { membershipChanged, nodeStarted, nodeStopped } from "../audit/events.ts";
import { changedSettings } from "../config/show.ts";
import { FERRITE_VERSION } from "../server/version.ts";
import { systemCertificatePorts } from "../certificates/system-files.ts";
import { clientTls, httpTls } from "./client-tls.ts";
import { NodeAccess } from "./node-access.ts";
import { Draining } from "./draining.ts";
import { checkRecoveredFits } from "./genesis-file.ts";
import { loadIdentity, renewIdentity } from "./identity.ts";
import { LiveReplicaView } from "./live-replica-view.ts";
import { HeldRefusals } from "./held-refusals.ts";
import { joinCluster, peerPolicy } from "./join-cluster.ts";
import { CERTIFICATE_FIELDS, NodeCertificates } from "./node-certificates.ts";
import { runMembership } from "./node-membership.ts";
import { attachAtRest, prepareNodeAtRest } from "./node-at-rest.ts";
import { openReplica, type RunningReplica } from "./open-replica.ts";

/** How often it is looked at whether a cluster of one has applied its log. */
const CATCH_UP_POLL_MS = 2;

/**
 * Starts a node. Resolves when it takes connections; with peers that is after the cluster was formed. A cluster of one
 * then has everything it ever acknowledged; a node with peers may wait for them, and answers reads with LOADING until then.
 * @throws StartError, StorageError, PeerError, ServerError with a message that names the file or address and the fix
 */
export async function startNode(options: StartNodeOptions): Promise<NodeHandle> {
  const { config } = options;
  const logger = options.logger ?? pino({ enabled: false });
  try {
    return await startOnce(config, logger);
  } catch (error) {
    if (!(error instanceof RepairError) || error.code !== "PAST_UNKNOWN") throw error;
    logger.error({ err: error }, "the past of this disk is given up");
    beginRenewal(new NodeFileSystem(), config.dataDir, error.message);
    return await startOnce(config, logger);
  }
}

async function startOnce(config: NodeConfig, logger: Logger): Promise<NodeHandle> {
  const parts = new Parts();
  try {
    return await assemble(config, logger, parts);
  } catch (error) {
    await parts.close(logger);
    throw error;
  }
}

async function assemble(config: NodeConfig, logger: Logger, parts: Parts): Promise<NodeHandle> {
  const fileSystem = new NodeFileSystem();
  const lock = lockDataDirectory(config.dataDir);
  parts.add("data directory lock", () => lock.release());
  // Before anything is written, listens or dials: files that are not good stop the start.
  const certificates = await NodeCertificates.open(config, systemCertificatePorts(logger));
  parts.add("certificates", () => certificates.close());
  const settings = new Settings(config);
  const renewed = finishRenewal(fileSystem, renewalPlaces(config), {
    renew: () => renewIdentity(fileSystem, config.dataDir),
    logger,
  });
  const preparedAtRest = await prepareNodeAtRest({ settings, fileSystem, logger });
  const { identity, formerIds, incarnation, logBegun } = loadIdentity(fileSystem, {
    dataDirectory: config.dataDir,
    nodeName: config.nodeName,
  });
  const table = createCommandTable();
  const ending = Promise.withResolvers<Error | null>();
  const draining = new Draining();
  let stopping: Promise<void> | null = null;
  let endedBy: Error | null = null;
  const stop = (cause: Error | null): Promise<void> => {
    draining.begin();
    endedBy = cause;
    stopping ??= parts.close(logger).then(() => ending.resolve(cause));
    return stopping;
  };
  const fail = (error: Error): void => {
    logger.error({ err: error }, "the node stops");
    void stop(error);
  };

  const refusals = new HeldRefusals();
  const links = await joinCluster({
    config,
    identity: { ...identity, formerIds },
    fileSystem,
    logger,
    credentials: certificates.peers,
    policy: () => peerPolicy(settings.current()),
    waiting: (problem) => waitingServer({ config, settings, certificates, logger, problem }),
    onRefused: (refusal) => refusals.take(refusal),
  });
  parts.add("peer links", () => links.stop());
  const { clusterId } = links.genesis;
  const atRest = (await preparedAtRest?.begin({ nodeId: identity.id, clusterId })) ?? null;
  const running = await openReplica({
    config,
    identity,
    incarnation,
    genesis: links.genesis,
    fileSystem,
    links,
    table,
    encryption: atRest?.keys() ?? null,
    logger,
    onFailed: fail,
  });
  parts.add("log", () => running.close());
  logBegun();
  checkRecoveredFits(isAlone(running, identity.id), {
    dataDir: config.dataDir,
    peers: config.peers,
    hasPeerCertificates: certificates.peers !== null,
  });
  const view = new LiveReplicaView({
    replica: running.replica,
    genesis: links.genesis,
    self: links.self,
    damage: () => running.damage(),
  });
  const audit = createAuditTrail({
    settings: config,
    dataDirectory: config.dataDir,
    nodeId: identity.id,
    nodeName: config.nodeName,
    clusterId: links.genesis.clusterId,
    version: FERRITE_VERSION,
    logger,
  });
  await audit.start();
  parts.add("audit trail", () => audit.close());
  audit.record(nodeStarted({ version: FERRITE_VERSION, settings: changedSettings(config) }));
  certificates.attachAudit(audit);
  refusals.attach(audit);
  if (running.damage().damages.length > 0) audit.record(diskRepaired(running.damage()));
  if (renewed !== null) audit.record(identityRenewed(renewed));
  if (links.origin === "founded") {
    const members = links.genesis.members.map(({ name, id }) => `${name} (${id})`);
    audit.record(membershipChanged({ action: "formed", after: members.join(", ") }));
  }
  parts.add("last audit record", () => audit.record(nodeStopped(endedBy)));
  const { replica } = running;
  const endMembership = runMembership({ replica, links, settings, audit, logger, removed: fail });
  parts.add("membership", endMembership);
  audit.attachAnchors(view.anchors, () => !view.isCatchingUp());
  const access = new NodeAccess({
    config: () => settings.current(),
    replica: view,
    table,
    audit,
    atRest,
    logger,
    clients: () => server.clients(),
    strangers: () => server.strangerCount,
    checking: (client, begins) => server.checkingLogin(client, begins),
  });
  parts.add("password hashing", () => access.close());
  if (atRest !== null) {
    const aclFile = access.file.path;
    attachAtRest(atRest, { settings, fileSystem, running, audit, aclFile, logger });
    parts.add("keys at rest", () => atRest.close());
  }
  // A file that is wrong stops the start before anybody is served.
  await access.file.parse();
  const server: RespServer = new RespServer({
    config,
    guard: access.access.guard,
    access: access.access.view,
    audit,
    table,
    writePath: running.replica,
    replica: view,
    certificates,
    ...(atRest === null ? {} : { atRest }),
    settings,
    clock: systemClock,
    logger,
    ...clientTls(certificates, access),
  });
  running.onRoundDone(() => server.flush());
  view.access.onUsersChanged(() => server.reviewClients());
  running.replica.countLookups(new KeyspaceLookups(server.counters));
  running.onKeysExpired((count) => {
    server.counters.expiredKeys += count;
  });
  settings.showAgreed("aclNewCommands", () => view.access.users().knownCommands?.policy);
  settings.checkBefore(CERTIFICATE_FIELDS, (next) => certificates.prepare(next));
  settings.onChange((changed, fields) => {
    certificates.applyConfig(changed);
    server.applyConfig(changed, fields);
    access.applyConfig(changed, fields);
    audit.applySettings(changed);
    if (fields.has("peerAllowedSan") || fields.has("tlsCloseExpired")) links.reviewLinks();
    running.replica.access.maxStalenessMs = changed.aclMaxStalenessMs;
    if (fields.has("logLevel")) logger.level = changed.logLevel;
  });
  const http = await startHttp({
    config,
    settings,
    view,
    running,
    peers: links.network,
    server,
    access,
    audit,
    certificates,
    atRest,
    draining,
    logger,
  });
  if (http !== null) parts.add("HTTP server", () => http.close());
  const resp = await server.start();
  const { tlsAddresses } = server;
  const tlsPort = tlsAddresses[0]?.port ?? config.tlsPort;
  settings.adopt({ ...config, port: resp[0].port, tlsPort });
  parts.add("RESP server", () => server.stop());
  running.start();
  const booting = new AbortController();
  parts.add("first users", () => booting.abort());
  const booted = access.boot(booting.signal).then(
    () => null,
    (error: Error) => error,
  );
  parts.add("leadership", () => draining.handOver(running.replica, config));
  if (isAlone(running, identity.id)) {
    await caughtUp(running, ending.promise);
    const problem = await booted;
    if (problem !== null) throw problem;
  } else {
    // Waits for the other nodes.
    void booted.then((problem) => {
      if (problem !== null) fail(problem);
    });
  }

  return {
    nodeId: identity.id,
    clusterId: links.genesis.clusterId,
    addresses: {
      resp: resp.map(formatHostPort),
      tls: tlsAddresses.map(formatHostPort),
      peer: links.address,
      http: http === null ? null : formatHostPort(http.address),
    },
    replica: view,
    reloadCertificates: async () => {
      await certificates.reload("signal");
      await atRest?.lookAtKey();
    },
    stop: () => stop(null),
    stopped: ending.promise,
  };
}

/** Is this node all that its cluster counts on, as far as its log says? */
function isAlone(running: RunningReplica, nodeId: string): boolean {
  const { voters, votersOutgoing, learners } = running.replica.core.status().configuration;
  return [...voters, ...votersOutgoing, ...learners].every((id) => id === nodeId);
}

/** Waits until reads are answered. @throws what ended the node meanwhile. */
async function caughtUp(running: RunningReplica, ended: Promise<Error | null>): Promise<void> {
  const end = ended.then((error) => ({ error }));
  while (!running.replica.service.isCaughtUp) {
    const time = new Promise<null>((resolve) => setTimeout(resolve, CATCH_UP_POLL_MS, null));
    const ending = await Promise.race([end, time]);
    if (ending === null) continue;
    if (ending.error !== null) throw ending.error;
    return;
  }
}

/** Says why the node is not ready where HTTP will be; nothing where that has no port of its own to be asked at. */
async function waitingServer(parts: {
  readonly config: NodeConfig;
  readonly settings: Settings;
  readonly certificates: NodeCertificates;
  readonly logger: Logger;
  problem(): string;
}): Promise<{ close(): Promise<void> }> {
  const { config, settings, certificates, logger } = parts;
  if (config.httpPort === null || config.httpPort === 0) return { close: () => Promise.resolve() };
  return await startWaitingServer({
    host: config.httpBind,
    port: config.httpPort,
    tls: httpTls(settings, certificates),
    problem: () => parts.problem(),
    onError: (error) => logger.error({ err: error }, "an HTTP request failed"),
  });
}

async function startHttp(parts: {
  readonly config: NodeConfig;
  readonly settings: Settings;
  readonly view: LiveReplicaView;
  readonly running: RunningReplica;
  readonly peers: PeerMetricsSource;
  readonly server: RespServer;
  readonly access: NodeAccess;
  readonly audit: AuditService;
  readonly certificates: NodeCertificates;
  readonly atRest: AtRestService | null;
  readonly draining: Draining;
  readonly logger: Logger;
}): Promise<HttpServerHandle | null> {
  const { config, settings, view, running, server, access, audit, draining, logger } = parts;
  const { certificates } = parts;
  if (config.httpPort === null) return null;
  return await startHttpServer({
    host: config.httpBind,
    port: config.httpPort,
    registry: createMetricsRegistry({
      replica: view,
      server,
      keyspace: {
        keyspace: () => view.keyspace,
        memoryLimitBytes: () => settings.current().maxMemoryBytes,
      },
      logins: access.loginSource(),
      access: { users: () => view.access.users(), denials: access.access.guard.counters },
      audit: audit.log,
      certificates,
      ...(parts.atRest === null ? {} : { atRest: parts.atRest }),
      peers: parts.peers,
    }),
    readiness: {
      replica: view,
      isDraining: () => draining.isDraining,
      isDiskFull: () => running.isDiskFull(),
      credentialsRefusal: () => access.credentialsRefusal(),
      certificateWarnings: () => certificates.warnings(),
    },
    liveness: { pingLogWorker: (onAnswer) => running.pingLog(onAnswer) },
    tls: httpTls(settings, certificates),
    onError: (error) => logger.error({ err: error }, "an HTTP request failed"),
  });
}

/** Reads count their hits and misses where INFO and CONFIG RESETSTAT find them. */
class KeyspaceLookups implements LookupCounters {
  readonly #counters: ServerCounters;

  constructor(counters: ServerCounters) {
    this.#counters = counters;
  }

  get hits(): number {
    return this.#counters.keyspaceHits;
  }

  set hits(value: number) {
    this.#counters.keyspaceHits = value;
  }

  get misses(): number {
    return this.#counters.keyspaceMisses;
  }

  set misses(value: number) {
    this.#counters.keyspaceMisses = value;
  }
}

/** What was started, to be closed in reverse. One part that fails to close does not keep the others open. */
class Parts {
  readonly #parts: { readonly name: string; readonly close: () => void | Promise<void> }[] = [];

  add(name: string, close: () => void | Promise<void>): void {
    this.#parts.push({ name, close });
  }

  async close(logger: Logger): Promise<void> {
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      try {
        await part.close();
      } catch (error) {
        logger.error({ err: error, part: part.name }, "a part of the node did not close cleanly");
      }
    }
  }
}
