/**
 * A real cluster for a test: processes of the built `ferrite start`, mutual TLS between them, real disks. Everything on
 * loopback with ports of its own; `close` ends what was started and removes what was written.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDevelopmentCertificates, type PeerCertificateFiles } from "@ferrite/cli";
import { freePorts } from "./free-ports.ts";
import { RespClient, RespError, type RespValue } from "./resp-client.ts";

/** The built program. */
export const FERRITE: string = fileURLToPath(
  new URL("../../../packages/cli/dist/bin.js", import.meta.url),
);
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

export interface TestNode {
  readonly index: number;
  readonly name: string;
  /** Where it listens, for everything. */
  readonly host: string;
  readonly port: number;
  readonly peerPort: number;
  readonly httpPort: number;
  readonly dataDir: string;
  readonly logFile: string;
}

export interface TestClusterOptions {
  /** Default 3. */
  readonly nodes?: number;
  /** So many of them form the cluster and are started by `start`; the others may join it. Default: all. */
  readonly founders?: number;
  /** Settings for every node, by their configuration names. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Environment of every node, besides PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Environment of one node, besides that of all. */
  readonly environmentOf?: (name: string) => Readonly<Record<string, string>>;
  /** Address that a node listens on; default 127.0.0.1. */
  readonly hostOf?: (index: number) => string;
  /** Words that stand before the program of a node: something that runs it and becomes it (`exec`). */
  readonly launcherOf?: (index: number) => readonly string[];
  /** Gives the address at which the other nodes reach one (a proxy before its peer port); default: the port itself. */
  readonly peerAddress?: (node: TestNode) => Promise<string>;
  /** Where a node keeps its data; default: a directory of its own below the cluster's. */
  readonly dataDir?: (name: string) => string | null;
}

type PeerFiles = Pick<PeerCertificateFiles, "certFile" | "keyFile" | "caFile">;

/** Processes of all clusters of this test run: none outlives it, however it ends. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class TestCluster {
  readonly nodes: readonly TestNode[];
  readonly directory: string;
  readonly #options: TestClusterOptions;
  readonly #children: (ChildProcess | null)[];
  readonly #certificates: ReadonlyMap<string, PeerFiles>;
  readonly #peerAddresses: ReadonlyMap<string, string>;

  /** Starts all nodes and waits until they are ready. */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const cluster = await TestCluster.prepare(options);
    try {
      const founders = cluster.nodes.slice(0, options.founders);
      for (const node of founders) cluster.spawn(node.index);
      await Promise.all(founders.map((node) => cluster.ready(node.index)));
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Makes directories, certificates and ports; starts nothing. */
  static async prepare(options: TestClusterOptions = {}): Promise<TestCluster> {
    if (!existsSync(FERRITE))
      throw new Error(`${FERRITE} is not there: build first (npm test does)`);
    const directory = mkdtempSync(join(tmpdir(), "ferrite-e2e-"));
    const count = options.nodes ?? 3;
    const ports = await freePorts(count * 3);
    const nodes = Array.from({ length: count }, (_, index): TestNode => {
      const name = `node${index + 1}`;
      return {
        index,
        name,
        host: options.hostOf?.(index) ?? "127.0.0.1",
        port: ports[index * 3],
        peerPort: ports[index * 3 + 1],
        httpPort: ports[index * 3 + 2],
        dataDir: options.dataDir?.(name) ?? join(directory, name),
        logFile: join(directory, `${name}.log`),
      };
    });
    const certificates = await ensureDevelopmentCertificates({
      directory: join(directory, "certs"),
      nodeNames: nodes.map((node) => node.name),
    });
    const peerAddresses = new Map<string, string>();
    for (const node of nodes) {
      const address = await options.peerAddress?.(node);
      peerAddresses.set(node.name, address ?? `${node.host}:${node.peerPort}`);
    }
    return new TestCluster({ directory, nodes, options, certificates, peerAddresses });
  }

  private constructor(parts: {
    readonly directory: string;
    readonly nodes: readonly TestNode[];
    readonly options: TestClusterOptions;
    readonly certificates: ReadonlyMap<string, PeerFiles>;
    readonly peerAddresses: ReadonlyMap<string, string>;
  }) {
    this.directory = parts.directory;
    this.nodes = parts.nodes;
    this.#options = parts.options;
    this.#certificates = parts.certificates;
    this.#peerAddresses = parts.peerAddresses;
    this.#children = parts.nodes.map(() => null);
  }

  /** Starts one node's process without waiting. `more` beats the cluster's settings. */
  spawn(index: number, more: Readonly<Record<string, string>> = {}): ChildProcess {
    return this.spawnWith(index, this.flags(index, more), this.directory);
  }

  /** Starts a node's process in a working directory with exactly these words behind `ferrite start`. */
  spawnWith(index: number, words: readonly string[], workingDirectory: string): ChildProcess {
    const node = this.nodes[index];
    const launcher = this.#options.launcherOf?.(index) ?? [];
    const [program, ...rest] = [...launcher, process.execPath, FERRITE, "start", ...words];
    const child = spawn(program, rest, {
      cwd: workingDirectory,
      // A node under IPC stops when its parent is gone: a test run that is killed leaves none behind.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: this.directory,
        ...this.#options.environment,
        ...this.#options.environmentOf?.(node.name),
      },
    });
    running.add(child);
    const log = createWriteStream(node.logFile, { flags: "a" });
    child.stdout!.pipe(log, { end: false });
    child.stderr!.pipe(log, { end: false });
    child.once("exit", () => {
      running.delete(child);
      if (this.#children[index] === child) this.#children[index] = null;
    });
    child.once("close", () => log.end());
    this.#children[index] = child;
    return child;
  }

  /** What stands behind `ferrite start` for one node. `more` beats the cluster's settings. */
  flags(index: number, more: Readonly<Record<string, string>> = {}): string[] {
    const settings = {
      ...this.#settingsOf(this.nodes[index]),
      ...this.#options.settings,
      ...more,
    };
    return Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  }

  /** Waits until the node says that it is ready; rejects with its log when it does not, or ended. */
  async ready(index: number): Promise<void> {
    const node = this.nodes[index];
    const deadlineMs = Date.now() + READY_TIMEOUT_MS;
    while (Date.now() < deadlineMs) {
      if (this.#children[index] === null)
        throw new Error(`${node.name} ended:\n${this.log(index)}`);
      const answer = await fetch(`http://${node.host}:${node.httpPort}/readyz`).catch(() => null);
      if (answer !== null && answer.status === 200) return;
      await pause(POLL_MS);
    }
    throw new Error(
      `${node.name} was not ready within ${READY_TIMEOUT_MS} ms:\n${this.log(index)}`,
    );
  }

  isRunning(index: number): boolean {
    return this.#children[index] !== null;
  }

  /** Process id of a running node. */
  pid(index: number): number {
    return this.#children[index]!.pid!;
  }

  /** Sends a signal and waits for the process to end. Its exit code, or null when the signal ended it. */
  async end(index: number, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#children[index];
    if (child === null || child === undefined) return null;
    const exited = new Promise<number | null>((resolve) =>
      child.once("exit", (code) => resolve(code)),
    );
    child.kill(signal);
    return await exited;
  }

  client(index: number): Promise<RespClient> {
    const { port, host } = this.nodes[index];
    return RespClient.connect(port, host);
  }

  /** One command on a connection of its own. */
  async call(index: number, ...words: readonly string[]): Promise<RespValue> {
    const client = await this.client(index);
    try {
      return await client.call(...words);
    } finally {
      client.close();
    }
  }

  /** Index of the node that leads, as it says itself; waits for one. */
  async leader(): Promise<number> {
    const deadlineMs = Date.now() + READY_TIMEOUT_MS;
    while (Date.now() < deadlineMs) {
      for (const node of this.nodes) {
        if (this.#children[node.index] === null) continue;
        const info = await this.call(node.index, "INFO", "replication").catch(() => null);
        if (typeof info === "string" && info.includes("role:master")) return node.index;
      }
      await pause(POLL_MS);
    }
    throw new Error("no node leads");
  }

  /** The facts of FERRITE.STATUS, without the members. */
  async status(index: number): Promise<ReadonlyMap<string, string | number | null>> {
    const reply = await this.call(index, "FERRITE.STATUS");
    if (!Array.isArray(reply)) throw new Error(`FERRITE.STATUS: ${JSON.stringify(reply)}`);
    const facts = new Map<string, string | number | null>();
    for (let at = 0; at + 1 < reply.length; at += 2) {
      const value = reply[at + 1] as RespValue;
      if (value === null || typeof value === "string" || typeof value === "number") {
        facts.set(String(reply[at]), value);
      }
    }
    return facts;
  }

  /** The fields of one INFO section. */
  async info(index: number, section: string): Promise<ReadonlyMap<string, string>> {
    const text = await this.call(index, "INFO", section);
    if (typeof text !== "string")
      throw new Error(`INFO ${section}: ${text instanceof RespError ? text.text : "?"}`);
    return new Map(
      text
        .split("\r\n")
        .filter((line) => line.includes(":"))
        .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
    );
  }

  log(index: number): string {
    const { logFile } = this.nodes[index];
    return existsSync(logFile) ? readFileSync(logFile, "utf8") : "";
  }

  /** Ends every process; what they have written stays. */
  async endAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.end(node.index, "SIGKILL")));
  }

  /** Ends every process and removes the directory. */
  async close(): Promise<void> {
    await this.endAll();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #settingsOf(node: TestNode): Record<string, string> {
    const files = this.#certificates.get(node.name)!;
    const peers = this.nodes
      .slice(0, this.#options.founders)
      .filter((other) => other !== node)
      .map((other) => `${other.name}=${this.#peerAddresses.get(other.name)}`);
    const common = {
      "node-name": node.name,
      dir: node.dataDir,
      bind: node.host,
      port: String(node.port),
      "http-bind": node.host,
      "http-port": String(node.httpPort),
      "log-format": "json",
    };
    if (peers.length === 0) return common;
    return {
      ...common,
      peers: peers.join(","),
      "peer-port": String(node.peerPort),
      "peer-announce": this.#peerAddresses.get(node.name)!,
      "peer-tls-cert-file": files.certFile,
      "peer-tls-key-file": files.keyFile,
      "peer-tls-ca-cert-file": files.caFile,
    };
  }
}

/** Waits until the condition holds, looked at again and again; rejects with `what` when it takes too long. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number = READY_TIMEOUT_MS,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await pause(POLL_MS);
  }
}

/** A line about what a test has measured. */
export function report(line: string): void {
  process.stdout.write(`    ${line}\n`);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
