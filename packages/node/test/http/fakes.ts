import type { DiskFacts } from "../../src/replica/disk-facts.ts";
import type { Registry } from "prom-client";
import {
  startHttpServer,
  type HttpServerHandle,
  type HttpServerOptions,
} from "../../src/http/http-server.ts";
import type { CredentialHealth } from "../../src/certificates/live-credentials.ts";
import { TlsStatistics } from "../../src/server/tls-statistics.ts";
import { AuditOff } from "../../src/audit/audit-off.ts";
import { createMetricsRegistry, type MetricsSources } from "../../src/metrics/registry.ts";

/** A node's state as the HTTP server sees it; tests change the fields. */
export class FakeNode {
  leader: string | null = "id-1";
  commit = 50;
  applied = 50;
  catchingUp = false;
  draining = false;
  diskFull = false;
  disk: DiskFacts = { stalledMs: null, stalls: 0, damages: 0, missingUpTo: null };
  usersRefusal: string | null = null;
  certificateWarnings: readonly string[] = [];
  certificates: readonly CredentialHealth[] = [];
  /** What the log worker does with a ping. */
  ping: (onAnswer: () => void) => void = (onAnswer) => onAnswer();

  readonly counters = {
    connectionsReceived: 3,
    commandsProcessed: 1234,
    rejectedConnections: 1,
    netInputBytes: 1000,
    netOutputBytes: 2000,
    keyspaceHits: 5,
    keyspaceMisses: 6,
    expiredKeys: 7,
    errorReplies: 8,
    protocolErrors: 9,
  };

  readonly tls = new TlsStatistics(() => 2);

  sources(): MetricsSources {
    return {
      replica: {
        role: () => "leader",
        term: () => 4,
        leaderId: () => this.leader,
        commitIndex: () => this.commit,
        appliedIndex: () => this.applied,
        lastIndex: () => 60,
        firstIndex: () => 11,
        snapshotIndex: () => 10,
        logBytes: () => 4096,
        members: () => [
          {
            id: "id-1",
            name: "n1",
            peerAddress: "h:1",
            clientAddress: "h:2",
            learner: false,
            isSelf: true,
            isLeader: true,
            connected: true,
            matchIndex: 60,
          },
          {
            id: "id-2",
            name: "n2",
            peerAddress: "h:3",
            clientAddress: "h:4",
            learner: false,
            isSelf: false,
            isLeader: false,
            connected: false,
            matchIndex: null,
          },
        ],
        membership: { change: () => null, featureLevel: () => 1 },
        snapshotInProgress: () => false,
        snapshotBytesSent: () => 0,
        disk: () => this.disk,
        checks: { verdict: null, check: () => undefined },
        leaderSilenceMs: () => 1500,
        writeRefusal: () => null,
      },
      server: {
        counters: this.counters,
        tls: this.tls,
        clientCount: 2,
        startedAtMs: 1_700_000_000_000,
        ferriteVersion: "0.1.0",
        statistics: {
          instantaneousOperationsPerSecond: 0,
          instantaneousInputKilobytesPerSecond: 0,
          instantaneousOutputKilobytesPerSecond: 0,
          commands: () => [
            { name: "get", calls: 11, microseconds: 5, rejectedCalls: 1, failedCalls: 2 },
          ],
          errors: () => [["ERR", 8]],
          reset: () => undefined,
        },
      },
      keyspace: {
        keyspace: () => ({ size: 100, volatileSize: 20, usedBytes: 8192 }),
        memoryLimitBytes: () => 0,
      },
      logins: {
        counters: {
          accepted: 4,
          refused: 3,
          throttled: 2,
          busy: 1,
          failed: 0,
          fromCache: 1,
          rehashed: 0,
        },
        delayedUsers: () => 1,
        delayedAddresses: () => 0,
        hashingQueue: () => 0,
        hashingRestarts: () => 0,
        unauthenticatedClients: () => 5,
      },
      access: {
        users: () => ({ revision: 7, size: 2 }),
        denials: { deniedCommands: 6, deniedKeys: 0, deniedChannels: 0, deniedCertificates: 0 },
      },
      audit: new AuditOff(),
      certificates: { health: () => this.certificates },
    };
  }

  registry(): Registry {
    return createMetricsRegistry(this.sources());
  }

  start(options: Partial<HttpServerOptions> = {}): Promise<HttpServerHandle> {
    return startHttpServer({
      host: "127.0.0.1",
      port: 0,
      registry: this.registry(),
      readiness: {
        replica: { ...this.sources().replica, isCatchingUp: () => this.catchingUp },
        isDraining: () => this.draining,
        isDiskFull: () => this.diskFull,
        credentialsRefusal: () => this.usersRefusal,
        certificateWarnings: () => this.certificateWarnings,
      },
      liveness: { pingLogWorker: (onAnswer) => this.ping(onAnswer) },
      ...options,
    });
  }
}
