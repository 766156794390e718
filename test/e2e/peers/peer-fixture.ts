/** Nodes' peer networks on loopback, with certificates of an authority made for the test. */
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createAuthority,
  issueNodeCertificate,
  nodePaths,
  writePair,
} from "../../../packages/cli/src/certs/index.ts";
import type { CertificatePair } from "../../../packages/cli/src/certs/index.ts";
import type {
  LiveCredentials,
  ReloadOutcome,
} from "../../../packages/node/src/certificates/live-credentials.ts";
import { peerNameProblem } from "../../../packages/node/src/certificates/peer-name.ts";
import type { CertificatePorts } from "../../../packages/node/src/certificates/ports.ts";
import { SETTING_NAMES } from "../../../packages/node/src/certificates/source.ts";
import { systemCertificatePorts } from "../../../packages/node/src/certificates/system-files.ts";
import { openCredentials } from "../../../packages/node/src/certificates/watched-credentials.ts";
import type { TlsFiles } from "../../../packages/node/src/config/tls-files.ts";
import type { PeerRefusal } from "../../../packages/node/src/peers/connection-refusal.ts";
import { DEFAULT_PEER_LIMITS } from "../../../packages/node/src/peers/limits.ts";
import type { PeerLimits } from "../../../packages/node/src/peers/limits.ts";
import type { Genesis, NodeIdentity } from "../../../packages/node/src/peers/membership.ts";
import { PeerNetwork } from "../../../packages/node/src/peers/network.ts";
import type { PeerNetworkOptions } from "../../../packages/node/src/peers/options.ts";
import type { PeerPayload, TransportEvents } from "../../../packages/node/src/replica/transport.ts";

export interface Received {
  readonly from: string;
  readonly payload: PeerPayload;
  readonly senderTimeMs: number;
}

/** Waits for conditions over things that happen: every event looks again. */
export class Happenings {
  readonly #waiters = new Set<() => void>();

  happened(): void {
    for (const waiter of this.#waiters) {
      waiter();
    }
  }

  /** Fulfilled as soon as `condition` holds, looked at after every event. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (condition()) {
          this.#waiters.delete(look);
          resolve();
        }
      };
      this.#waiters.add(look);
      look();
    });
  }
}

/** One node: its network and everything it told. */
export class TestNode {
  readonly network: PeerNetwork;
  readonly identity: NodeIdentity;
  readonly received: Received[] = [];
  readonly changes: string[] = [];
  readonly logs: {
    readonly level: string;
    readonly fields: Record<string, unknown>;
    readonly message: string;
  }[] = [];
  readonly persisted: Genesis[] = [];
  readonly refusals: PeerRefusal[] = [];
  readonly #credentials: LiveCredentials | null;
  readonly #happenings: Happenings;

  constructor(options: PeerNetworkOptions, happenings: Happenings) {
    this.identity = options.identity;
    this.#credentials = options.credentials;
    this.#happenings = happenings;
    const events: TransportEvents = {
      onPayload: (from, payload, senderTimeMs) => {
        this.received.push({ from, payload, senderTimeMs });
        happenings.happened();
      },
      onConnected: (peer) => {
        this.changes.push(`connected ${peer}`);
        happenings.happened();
      },
      onDisconnected: (peer, { refused }) => {
        this.changes.push(`${refused ? "refused" : "disconnected"} ${peer}`);
        happenings.happened();
      },
    };
    const log =
      (level: string) =>
      (fields: Record<string, unknown>, message: string): void => {
        this.logs.push({ level, fields, message });
        happenings.happened();
      };
    const logger = {
      debug: log("debug"),
      info: log("info"),
      warn: log("warn"),
      error: log("error"),
    };
    const persistGenesis = async (genesis: Genesis): Promise<void> => {
      await options.persistGenesis(genesis);
      this.persisted.push(genesis);
    };
    const onRefused = (refusal: PeerRefusal): void => {
      this.refusals.push(refusal);
      happenings.happened();
    };
    this.network = new PeerNetwork({ ...options, persistGenesis }, events, { logger, onRefused });
  }

  /** Reads the certificate files again, as a signal would. */
  async reload(): Promise<ReloadOutcome> {
    if (this.#credentials === null) throw new Error("this node has no certificates");
    const outcome = await this.#credentials.reload("signal");
    this.#happenings.happened();
    return outcome;
  }

  /** Fulfilled when a refusal for this reason was told. */
  async refused(reason: PeerRefusal["reason"]): Promise<PeerRefusal> {
    let found: PeerRefusal | undefined;
    await this.#happenings.until(() => {
      found = this.refusals.find((refusal) => refusal.reason === reason);
      return found !== undefined;
    });
    return found as unknown as PeerRefusal;
  }

  /** Everything logged so far, as one text. */
  get logText(): string {
    return this.logs
      .map(({ fields, message }) => `${message} ${JSON.stringify(fields)}`)
      .join("\n");
  }

  logged(pattern: RegExp): Promise<void> {
    return this.#happenings.until(() => pattern.test(this.logText));
  }

  connectedTo(...nodes: readonly TestNode[]): Promise<void> {
    return this.#happenings.until(() => nodes.every((n) => this.network.connected(n.identity.id)));
  }

  receivedCount(count: number): Promise<void> {
    return this.#happenings.until(() => this.received.length >= count);
  }

  changed(text: string): Promise<void> {
    return this.#happenings.until(() => this.changes.includes(text));
  }
}

/** What a test may change of a node. */
export type NodeChanges = Partial<Omit<PeerNetworkOptions, "limits">> & {
  readonly limits?: Partial<PeerLimits>;
};

function withoutWatching(ports: CertificatePorts): CertificatePorts {
  const watch = () => () => undefined;
  return { ...ports, files: { ...ports.files, watch } };
}

/** A place for one test's nodes and files. */
export class PeerRoom {
  readonly directory: string = mkdtempSync(join(tmpdir(), "ferrite-peers-"));
  readonly happenings = new Happenings();
  readonly #nodes: TestNode[] = [];
  readonly #credentials: LiveCredentials[] = [];
  #authority: Promise<CertificatePair> | null = null;

  authority(): Promise<CertificatePair> {
    this.#authority ??= createAuthority();
    return this.#authority;
  }

  /** Writes a pair and its authority; gives the file names. */
  async files(stem: string, pair: CertificatePair, authority?: CertificatePair): Promise<TlsFiles> {
    const directory = join(this.directory, stem);
    mkdirSync(directory, { recursive: true });
    const paths = nodePaths(directory, "node");
    const ca = nodePaths(directory, "ca");
    await writePair(paths, pair, { force: true });
    await writePair(ca, authority ?? (await this.authority()), { force: true });
    return {
      ...paths,
      keyPassphraseFile: null,
      caFile: ca.certFile,
      caDirectory: null,
      crlFile: null,
    };
  }

  async nodeFiles(name: string): Promise<TlsFiles> {
    const authority = await this.authority();
    return this.files(name, await issueNodeCertificate(authority, { name }));
  }

  /** Makes a node; changes replace the options' defaults. Files that are not good are refused here. */
  async node(
    name: string,
    tls: TlsFiles | null,
    addresses: Readonly<Record<string, string>>,
    changes: NodeChanges = {},
  ): Promise<TestNode> {
    const policy = changes.policy ?? (() => ({ allowedSan: [], closeExpired: true }));
    const own = addresses[name] ?? "127.0.0.1:0";
    const options: PeerNetworkOptions = {
      identity: { id: randomUUID(), name },
      clusterToken: "token",
      listen: { host: "127.0.0.1", port: Number(own.split(":")[1]) },
      announce: null,
      clientAnnounce: "127.0.0.1:6379",
      tlsAddress: null,
      featureLevel: 1,
      version: "1.2.3",
      peers: Object.entries(addresses)
        .filter(([other]) => other !== name)
        .map(([other, address]) => ({ name: other, address })),
      genesis: null,
      credentials: tls === null ? null : await this.#open(name, tls, policy().allowedSan),
      policy,
      logicalNowMs: () => Date.now(),
      persistGenesis: async () => undefined,
      ...changes,
      limits: { ...DEFAULT_PEER_LIMITS, repeatedLogIntervalMs: 1, ...changes.limits },
    };
    const node = new TestNode(options, this.happenings);
    this.#nodes.push(node);
    return node;
  }

  async #open(
    name: string,
    files: TlsFiles,
    allowedSan: readonly string[],
  ): Promise<LiveCredentials> {
    const ignore = (): void => undefined;
    const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    const credentials = await openCredentials(
      {
        source: {
          key: JSON.stringify(files),
          use: "peers",
          files,
          settings: SETTING_NAMES.peers,
          staleLists: "accept",
          require: (certificate) => peerNameProblem(certificate, name, allowedSan),
        },
        reloadIntervalMs: 0,
        warningDays: [],
      },
      // Files are looked at when the test says so.
      {
        ports: withoutWatching(systemCertificatePorts(logger)),
        onEvent: ignore,
      },
    );
    this.#credentials.push(credentials);
    return credentials;
  }

  /** Nodes with these names that have formed a cluster and are connected, each to each. */
  async cluster(
    names: readonly string[],
    changes: NodeChanges = {},
  ): Promise<{ readonly nodes: TestNode[]; readonly addresses: Record<string, string> }> {
    const addresses = await freeAddresses(names);
    const nodes: TestNode[] = [];
    for (const name of names) {
      nodes.push(await this.node(name, await this.nodeFiles(name), addresses, changes));
    }
    await Promise.all(nodes.map((node) => node.network.start()));
    await Promise.all(nodes.map((node) => node.network.form()));
    for (const node of nodes) {
      node.network.activate();
    }
    for (const node of nodes) {
      await node.connectedTo(...nodes.filter((other) => other !== node));
    }
    return { nodes, addresses };
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.network.stop()));
    for (const credentials of this.#credentials) credentials.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Ports that were free a moment ago, all different. */
export async function freeAddresses(names: readonly string[]): Promise<Record<string, string>> {
  const servers = names.map(() => createServer());
  const addresses: Record<string, string> = {};
  for (const [i, server] of servers.entries()) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    addresses[names[i]] = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return addresses;
}
