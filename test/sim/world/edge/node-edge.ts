/**
 * What stands between clients and the replica in one life of a simulated node: the real RESP server with its connections, access
 * control and users, on virtual streams. Passwords are not hashed here: that takes a thread, and a promise never goes on inside
 * a run. Users without a password are let in by the same code.
 */
import {
  AclLog,
  AuditOff,
  AuthThrottle,
  Authenticator,
  LiveReplicaView,
  PasswordHasher,
  RespServer,
  Settings,
  commandCatalogue,
  createAccess,
  type CommandTable,
  type Genesis,
  type Hashing,
  type Member,
  type ProcessFacts,
  type Replica,
} from "@ferrite/node/simulation";
import { parseConfig, type NodeConfig } from "@ferrite/node/config";
import type { Prng } from "../prng.ts";
import { VirtualStream, type ClientEvents, type StreamWorld } from "./virtual-stream.ts";

/** What all nodes of a simulation share, made once. */
export interface EdgeParts {
  readonly table: CommandTable;
  readonly catalogue: ReturnType<typeof commandCatalogue>;
  readonly config: NodeConfig;
}

export function edgeParts(table: CommandTable): EdgeParts {
  const host = { hostname: "simulated", workingDirectory: "/", isTerminal: false };
  const { config } = parseConfig({ environment: {}, flags: [] }, host);
  return { table, catalogue: commandCatalogue(table), config };
}

/** A life of a node, as its edge needs it. */
export interface EdgeLife {
  readonly replica: Replica;
  readonly genesis: Genesis;
  readonly self: Member;
  readonly wallClockMs: () => number;
  readonly monotonicMs: () => number;
  readonly prng: Prng;
  /** At the end of the current event, in this life. */
  readonly defer: (run: () => void) => void;
}

const NO_HASHING: Hashing = {
  run: () => {
    throw new Error("a simulated node hashes no passwords");
  },
};
const NO_FILE = { ok: false, errorText: "ERR a simulated node has no ACL file" } as const;
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

/** Of no process: what this one is like would be different in every run, and asking the system takes longer than a step. */
const PROCESS_FACTS: ProcessFacts = {
  processId: 1,
  operatingSystem: "simulated",
  architectureBits: 64,
  executable: "simulated",
  nodeVersion: "simulated",
  totalSystemBytes: 1024 * 1024 * 1024,
  residentBytes: () => 0,
  usedBytes: () => 0,
  peakUsedBytes: () => 0,
  cpuUserSeconds: () => 0,
  cpuSystemSeconds: () => 0,
};

export class NodeEdge {
  readonly server: RespServer;

  constructor({ table, catalogue, config }: EdgeParts, life: EdgeLife) {
    const { replica, wallClockMs, prng } = life;
    const undamaged = { ...life, damage: () => ({ damages: [], floor: null }) };
    const view = new LiveReplicaView(undamaged);
    const audit = new AuditOff();
    const iterations = (): number => config.passwordHashIterations;
    const clusterNowMs = (): number => replica.logicalNowMs();
    const authenticator = new Authenticator({
      users: () => replica.access.users(),
      credentialsRefusal: () => replica.access.credentialsRefusal(),
      isProtected: () => config.protectedMode,
      policyIterations: iterations,
      clusterNowMs,
      hashing: NO_HASHING,
      throttle: new AuthThrottle({ isEnabled: false, maxDelayMs: 1 }),
      monotonicNowMs: life.monotonicMs,
      sleep: () => Promise.resolve(),
      onRehash: () => {},
      logger: QUIET,
    });
    const access = createAccess({
      state: replica.access,
      table,
      catalogue,
      authenticator,
      hasher: new PasswordHasher(NO_HASHING, iterations),
      log: new AclLog(() => config.aclLogEntriesMax),
      file: {
        save: () => Promise.resolve(NO_FILE.errorText),
        read: () => Promise.resolve(NO_FILE),
      },
      audit,
      logger: QUIET,
      clients: () => this.server.clients(),
      certificateUser: () => config,
      loginFacts: () => [],
      checking: (client, begins) => this.server.checkingLogin(client, begins),
      clusterNowMs,
      nowMs: wallClockMs,
    });
    this.server = new RespServer({
      config,
      table,
      writePath: replica,
      replica: view,
      settings: new Settings(config),
      guard: access.guard,
      access: access.view,
      audit,
      clock: { nowMs: wallClockMs, nowMicroseconds: () => Math.round(wallClockMs() * 1000) },
      logger: QUIET,
      staticReads: false,
      processFacts: PROCESS_FACTS,
      defer: life.defer,
      randomBytes: (count) =>
        Buffer.from(Array.from({ length: count }, () => prng.between(0, 256))),
    });
    replica.access.onUsersChanged(() => this.server.reviewClients());
  }

  /** A client of this machine connects. */
  connect(world: StreamWorld, client: ClientEvents, port: number): VirtualStream {
    const stream = new VirtualStream(world, client);
    const ends = {
      address: `127.0.0.1:${port}`,
      localAddress: "127.0.0.1:6379",
      origin: "loopback",
    } as const;
    this.server.admit(stream, ends);
    return stream;
  }
}
